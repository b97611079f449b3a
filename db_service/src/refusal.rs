//! What the server's refusal of a function of this layer means to whoever called it.

use database::cause::said;

/// By what is to be done about it.
pub(crate) enum Refusal {
    /// What was asked means nothing, or pgvector does not read it as a vector.
    Meaningless { what: String, hint: Option<String> },
    /// There is no such function or table, or this role may not see it.
    NotInstalled,
    /// It is about something else.
    Other,
}

impl Refusal {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        let Some(said) = said(error) else { return Self::Other };
        match said.code() {
            // data_exception, invalid_parameter_value, invalid_text_representation, numeric_value_out_of_range
            "22000" | "22023" | "22P02" | "22003" => {
                Self::Meaningless { what: said.message().to_owned(), hint: said.hint().map(str::to_owned) }
            }
            // invalid_schema_name, undefined_function, undefined_table, undefined_column
            "3F000" | "42883" | "42P01" | "42703" => Self::NotInstalled,
            _ => Self::Other,
        }
    }
}

/// What to do where it is not installed.
pub(crate) const INSTALL: &str = "run `migrations` first, which installs them";
