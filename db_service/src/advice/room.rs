//! What the indexes that searches go through take, and whether a machine has the memory for it.

use super::measured::{Basis, Measured};
use super::setting::Setting;
use super::unknown::Unknown;
use crate::sizing::{Amount, Sizes, memory_for};
use crate::subject::codes::Form;

/// For what there is memory. All in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// How much there is, nobody has said.
    NotKnown,
    /// For all of it.
    ForAll,
    /// If the codes are bits.
    ForBits,
    /// Not even then.
    ForNone { memory: u64 },
}

pub(super) fn room(measured: &Measured) -> Room {
    // What was guessed of it is no reason to build an index anew.
    let Some(memory) = measured.wanted.memory else { return Room::NotKnown };
    let has_room_for = |form| memory_for(hot(measured, form)) <= memory;
    if has_room_for(Form::Halfvec) {
        Room::ForAll
    } else if has_room_for(Form::Bits) {
        Room::ForBits
    } else {
        Room::ForNone { memory }
    }
}

/// The form of the codes for which there is memory.
pub(super) fn form_for(measured: &Measured) -> Form {
    match room(measured) {
        Room::ForBits | Room::ForNone { .. } => Form::Bits,
        _ if measured.extensions.vchord.is_some() => Form::Vchordrq,
        _ => Form::Halfvec,
    }
}

/// The indexes that searches go through, once there are codes in this form: those of the leaves as they are, or as they will be.
pub(super) fn hot(measured: &Measured, form: Form) -> u64 {
    let sizes = sizes(measured.vectors(), form);
    let of_leaves = measured.embeddings.as_ref().map(|table| table.hot().max(sizes.embeddings.hot()));
    of_leaves.unwrap_or_default() + sizes.codes.hot()
}

/// The vector index of the codes.
pub(super) fn codes(vectors: u64, form: Form) -> u64 {
    sizes(vectors, form).codes.vector_index
}

fn sizes(vectors: u64, form: Form) -> Sizes {
    Sizes::of(&Amount::of_vectors(vectors), form)
}

/// SQL cannot see it; what the settings tell of it is said.
pub(super) fn which_memory(measured: &Measured) -> Unknown {
    let why = match measured.memory() {
        Some((bytes, Basis::Buffers)) => {
            format!("the machine may have {}, four times `shared_buffers`, as people begin", Setting(bytes))
        }
        Some((bytes, _)) => format!("the machine may have {} or more, as `effective_cache_size` says", Setting(bytes)),
        None => "how much memory the machine has is not known, and its settings are as they were installed".to_owned(),
    };
    Unknown::new(why).remedy("SQL cannot see it: name it, `migrations advise --memory 64GB`")
}
