//! Whether the vectors should lie once more for searches across repositories, and in which form.

use relayout::layout::Bytes;
use serde_json::json;

use super::measured::{Codes, Measured};
use super::need;
use super::point::Advice;
use super::room::{self, form_for};
use super::way;
use crate::subject::codes::Form;

const RULE: &str = "codes";

pub(super) fn advise(measured: &Measured) -> Vec<Advice> {
    if measured.embeddings.is_none() {
        return Vec::new();
    }
    let built = measured.codes.filter(|codes| codes.form != Form::None);
    let is_wanted = need::is_in_use(measured) || need::is_needed(measured);
    vec![match built {
        Some(codes) => of_built(measured, codes),
        None if is_wanted => of_missing(measured),
        None => Advice::fine(RULE, "there are none", json!({ "form": null }))
            .why("one plain table has one vector index, which searches across repositories take"),
    }]
}

fn of_built(measured: &Measured, codes: Codes) -> Advice {
    let Codes { form, vector_index_bytes, rows, .. } = codes;
    let wanted = form_for(measured);
    let figures = json!({
        "form": form.to_string(), "wanted_form": wanted.to_string(), "rows": rows, "index_bytes": vector_index_bytes,
    });
    let message = format!("about {rows} codes are indexed as {form}, {}", Bytes(vector_index_bytes));
    match (form, wanted) {
        (Form::Halfvec | Form::Vchordrq, Form::Bits) => {
            Advice::to_do(RULE, message, figures).why(why_bits(measured)).run(&way::to_codes(measured, wanted))
        }
        (Form::Halfvec, Form::Vchordrq) => {
            let why = "VectorChord is installed: its index is built nine times and kept up twelve times faster, and searched \
                       as fast";
            Advice::to_do(RULE, message, figures).why(why).run(&way::to_codes(measured, wanted))
        }
        // Only where somebody says how much memory there is: bits do, and halfvec would cost it.
        (Form::Bits, Form::Halfvec | Form::Vchordrq) if measured.wanted.memory.is_some() => {
            let why =
                "the machine has room for whole codes, by which a search across repositories takes half of the time";
            Advice::to_do(RULE, message, figures).why(why).run(&way::to_codes(measured, wanted))
        }
        _ => Advice::fine(RULE, message, figures),
    }
}

fn of_missing(measured: &Measured) -> Advice {
    let wanted = form_for(measured);
    let bytes = room::codes(measured.vectors(), wanted);
    let figures = json!({ "form": null, "wanted_form": wanted.to_string(), "index_bytes": bytes });
    let message = format!(
        "there are none: a search across repositories goes through the vector index of each leaf; as {wanted} theirs would be {}",
        Bytes(bytes)
    );
    let why = match wanted {
        Form::Bits => why_bits(measured),
        _ => {
            "one index in place of those of all leaves, each of which costs what one does: four to eight times as fast"
                .to_owned()
        }
    };
    let commands = match &measured.embeddings {
        Some(table) if table.is_plain() => way::into_leaves(measured, table),
        _ => way::to_codes(measured, wanted),
    };
    Advice::to_do(RULE, message, figures).why(why).run(&commands)
}

fn why_bits(measured: &Measured) -> String {
    let [halfvec, bits] = [Form::Halfvec, Form::Bits].map(|form| Bytes(room::codes(measured.vectors(), form)));
    format!(
        "as halfvec they and the indexes of the leaves do not fit the memory; as bits theirs is {bits} in place of {halfvec}"
    )
}
