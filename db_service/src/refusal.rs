//! What the server's refusal of a function of this layer means to whoever called it.

/// What pgvector, or a function of this layer, does not take: `data_exception`, `invalid_parameter_value`,
/// `invalid_text_representation`, `numeric_value_out_of_range`.
pub(crate) const VECTORS: &[&str] = &["22000", "22023", "22P02", "22003"];

/// What a function of this layer does not take.
pub(crate) const PARAMETERS: &[&str] = &["22023"];

/// Functions and tables that are not there, or not for this role: `invalid_schema_name`, `undefined_function`, `undefined_table`.
pub(crate) const FUNCTIONS: &[&str] = &["3F000", "42883", "42P01"];

/// The same, and columns that an older layer does not have: `undefined_column`.
pub(crate) const COLUMNS: &[&str] = &["3F000", "42883", "42P01", "42703"];

/// What to do where it is not installed.
pub(crate) const INSTALL: &str = "run `migrations` first, which installs them";

/// Makes an error with `Refused`, `NotInstalled` and `Failed` of the server's, by the states that mean the first two.
macro_rules! refusals {
    ($error:ty, $meaningless:expr, $missing:expr) => {
        impl From<sqlx::Error> for $error {
            fn from(error: sqlx::Error) -> Self {
                match database::cause::said(&error) {
                    Some(said) if $meaningless.contains(&said.code()) => {
                        Self::Refused { what: said.message().to_owned(), hint: said.hint().map(str::to_owned) }
                    }
                    Some(said) if $missing.contains(&said.code()) => Self::NotInstalled(error.into()),
                    _ => Self::Failed(error.into()),
                }
            }
        }
    };
}

pub(crate) use refusals;
