//! What a migration's header asks for.
//!
//! A header is the comment lines at the top of a file. Lines of the form `-- key: value, value` are read by the tools:
//!
//! | Key | Means |
//! |---|---|
//! | `requires-ecto` | Ecto versions that must be applied first |
//! | `requires-table` | tables that must exist, schema-qualified |
//! | `uses-extension` | extensions it can use; all of them optional |
//! | `lays-out` | tables in `public` whose storage it declares |
//! | `puts-triggers-on` | tables in `public` that it declares triggers for |
//! | `copies-vectors-of` | tables in `public` whose vectors it has copied for searches |
//! | `provides` | what must exist once it is applied: relations, functions with their argument types |

use sqlx::migrate::Migration;

use super::error::MigrationFileError;

/// What a file's header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The version of the file.
    pub version: i64,
    /// The file's name without `.sql`.
    pub name: String,
    /// Ecto versions that must be applied first.
    pub requires_ecto: Vec<i64>,
    /// Tables that must exist.
    pub requires_table: Vec<String>,
    /// Optional extensions.
    pub uses_extension: Vec<String>,
    /// Tables in `public` whose storage it declares.
    pub lays_out: Vec<String>,
    /// Tables in `public` that it declares triggers for.
    pub puts_triggers_on: Vec<String>,
    /// Tables in `public` whose vectors it has copied for searches.
    pub copies_vectors_of: Vec<String>,
    /// Objects that must exist afterwards.
    pub provides: Vec<String>,
}

impl Header {
    pub(crate) fn read(migration: &Migration) -> Result<Self, MigrationFileError> {
        let name = format!("{:03}_{}", migration.version, migration.description.replace(' ', "_"));
        let mut header = Self { version: migration.version, name, ..Self::default() };
        let lines = migration.sql.as_str().lines().take_while(|line| line.is_empty() || line.starts_with("--"));
        for line in lines {
            let Some((key, value)) = line.trim_start_matches(['-', ' ']).split_once(": ") else { continue };
            // `(optional)` and the like are for people.
            let values = split_list(value).map(|value| value.strip_suffix(" (optional)").unwrap_or(value).to_owned());
            match key {
                "requires-ecto" => {
                    for value in values {
                        let version = value
                            .parse()
                            .map_err(|_| MigrationFileError::HeaderVersion { name: header.name.clone(), value })?;
                        header.requires_ecto.push(version);
                    }
                }
                "requires-table" => header.requires_table.extend(values),
                "uses-extension" => header.uses_extension.extend(values),
                "lays-out" => header.lays_out.extend(values),
                "puts-triggers-on" => header.puts_triggers_on.extend(values),
                "copies-vectors-of" => header.copies_vectors_of.extend(values),
                "provides" => header.provides.extend(values),
                _ => {}
            }
        }
        header.checked()
    }

    /// What has triggers is a table that the file asks for.
    fn checked(self) -> Result<Self, MigrationFileError> {
        let is_asked_for = |table: &&String| self.requires_table.contains(&format!("public.{table}"));
        match self.puts_triggers_on.iter().find(|table| !is_asked_for(table)) {
            Some(table) => Err(MigrationFileError::HeaderTable { table: table.clone(), name: self.name }),
            None => Ok(self),
        }
    }
}

/// Splits at the commas that separate values, not at those between a function's argument types.
fn split_list(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    text.split(move |character| {
        depth += i32::from(character == '(') - i32::from(character == ')');
        character == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|value| !value.is_empty())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use sqlx::SqlSafeStr as _;
    use sqlx::migrate::MigrationType;

    pub(in crate::migration) fn migration(sql: &'static str) -> Migration {
        Migration::new(2, "rag optimizations".into(), MigrationType::Simple, sql.into_sql_str(), false)
    }

    #[test]
    fn a_header_says_what_the_file_needs_and_gives() {
        let header = Header::read(&migration(
            "-- Why: because.\n-- requires-ecto: 1, 20251005030000\n-- requires-table: public.a, public.b\n-- uses-extension: bloom (optional)\n-- lays-out: a\n-- puts-triggers-on: b\n-- provides: db_service.x, db_service.f(text, integer)\n\nSELECT 1; -- requires-ecto: 9\n",
        ))
        .unwrap();
        assert_eq!(header.name, "002_rag_optimizations");
        assert_eq!(header.requires_ecto, [1, 20_251_005_030_000]);
        assert_eq!(header.requires_table, ["public.a", "public.b"]);
        assert_eq!(header.uses_extension, ["bloom"]);
        assert_eq!(header.lays_out, ["a"]);
        assert_eq!(header.puts_triggers_on, ["b"]);
        assert_eq!(header.provides, ["db_service.x", "db_service.f(text, integer)"]);
    }

    #[test]
    fn a_header_with_a_wrong_version_is_refused() {
        let error = Header::read(&migration("-- requires-ecto: latest\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the header of `002_rag_optimizations` requires the Ecto version `latest`, which is no number"
        );
    }

    #[test]
    fn triggers_are_put_only_on_tables_that_must_exist() {
        let error = Header::read(&migration("-- requires-table: public.a\n-- puts-triggers-on: a, b\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the header of `002_rag_optimizations` puts triggers on `b` and does not require the table `public.b`"
        );
    }
}
