//! `answers`: what answers of language models have saved by being found again.

use db_service::answers::{self, Saved};
use ledger::migration::LAYER;
use serde_json::json;
use sqlx::PgConnection;
use terminal::step::{Status, Step};

use crate::problem::Problem;
use crate::search::Found;

pub(crate) async fn run(connection: &mut PgConnection, database: &str) -> Result<Found, Problem> {
    let saved = answers::saved(connection).await?;
    let step = |it: &Saved| Step::new(database, LAYER, "answers", &it.model, Status::Found).facts(json!(it));
    Ok(Found { steps: saved.iter().map(step).collect(), text: text(&saved) })
}

/// A line for each model, and their sum.
fn text(saved: &[Saved]) -> String {
    let line = |it: &Saved| format!("{}: {}\n", it.model, said(it.answers, it.hits, it.tokens, it.cost_usd));
    let sum = |of: fn(&Saved) -> i64| saved.iter().map(of).sum();
    // A sum of nothing would be -0.
    let cost_usd = saved.iter().fold(0.0, |sum, it| sum + it.cost_usd);
    let all = said(sum(|it| it.answers), sum(|it| it.hits), sum(|it| it.tokens), cost_usd);
    saved.iter().map(line).collect::<String>() + &all
}

fn said(answers: i64, hits: i64, tokens: i64, cost_usd: f64) -> String {
    let counted = |count: i64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let [answers, hits, tokens] =
        [(answers, "answer"), (hits, "time"), (tokens, "token")].map(|(n, one)| counted(n, one));
    format!("{answers}, found again {hits}, which saved {tokens} and {cost_usd:.2} USD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_is_a_line_and_the_last_is_their_sum() {
        let model =
            |model: &str, hits, cost_usd| Saved { model: model.into(), answers: 1, hits, tokens: 40 * hits, cost_usd };
        insta::assert_snapshot!(text(&[model("large", 20, 1.5), model("small", 1, 0.004)]), @"
        large: 1 answer, found again 20 times, which saved 800 tokens and 1.50 USD
        small: 1 answer, found again 1 time, which saved 40 tokens and 0.00 USD
        2 answers, found again 21 times, which saved 840 tokens and 1.50 USD
        ");
        assert_eq!(text(&[]), "0 answers, found again 0 times, which saved 0 tokens and 0.00 USD");
    }
}
