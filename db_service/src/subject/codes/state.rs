//! How the codes are to be, how they are, and what is to be done about it.

use std::fmt;

use sqlx::PgConnection;

use super::form::Form;

/// What there is of the codes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact of the database")]
pub struct Codes {
    /// Declared.
    pub form: Form,
    /// What searches use.
    pub built: Option<Form>,
    /// The first copy has begun.
    pub is_begun: bool,
    /// Triggers keep them up to date.
    pub is_kept: bool,
    /// The layout that is declared for the table has such triggers.
    pub is_wanted: bool,
    /// Names of the vector indexes there are.
    pub indexes: Vec<String>,
    /// VectorChord is installed.
    pub(super) has_vchord: bool,
    /// There are rows.
    pub is_filled: bool,
    /// Rows that wait for a fold, counted no further than it takes to know that a fold is due.
    pub fresh: i64,
    /// Rows of the table they are made of.
    pub estimated_rows: i64,
    /// This role may do with them what it likes.
    pub(super) is_owner: bool,
    owner: String,
    /// Roles that may read the vectors and not the codes, quoted.
    pub to_grant: Vec<String>,
    /// Roles that may read the codes and not the vectors, quoted.
    pub to_revoke: Vec<String>,
}

/// More rows than that cost a search a millisecond.
pub(super) const FOLD_AT: i64 = 1000;

/// One thing that is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing keeps them up to date, or nobody wants them: they go.
    Drop,
    /// Copy the vectors, as far as an earlier run has not, of about so many; then index them and have searches use them.
    Copy { form: Form, from_start: bool, about: u64 },
    /// Build an index and have searches use it.
    Index(Form),
    /// Take an index off that nothing uses.
    Unindex(String),
    /// Take what was written into the index.
    Fold,
    /// Let roles read them that may read the vectors, and no others.
    Rights { grant: Vec<String>, revoke: Vec<String> },
}

impl Codes {
    /// What the database says.
    pub(super) async fn read(connection: &mut PgConnection) -> Result<Option<Self>, sqlx::Error> {
        let Some(row) = sqlx::query_file!("queries/codes.sql", FOLD_AT).fetch_optional(connection).await? else {
            return Ok(None);
        };
        // One that we do not know is none that we would drop.
        let form = |text: &str| text.parse::<Form>().map_err(|unknown| sqlx::Error::Decode(unknown.into()));
        Ok(Some(Self {
            form: form(&row.form)?,
            built: row.built.as_deref().map(form).transpose()?,
            is_begun: row.is_begun,
            is_kept: row.is_kept,
            is_wanted: row.is_wanted,
            indexes: row.indexes,
            has_vchord: row.has_vchord,
            is_filled: row.is_filled,
            fresh: row.fresh,
            estimated_rows: row.estimated_rows,
            is_owner: row.is_owner,
            owner: row.owner,
            to_grant: row.to_grant,
            to_revoke: row.to_revoke,
        }))
    }

    /// What they are to be indexed as: what is declared, if it can be had here.
    #[must_use]
    pub fn wanted(&self) -> Form {
        if self.lacks_vchord() { Form::Halfvec } else { self.form }
    }

    /// Whether what is declared needs an extension that is not there.
    #[must_use]
    pub(super) fn lacks_vchord(&self) -> bool {
        self.form == Form::Vchordrq && !self.has_vchord
    }

    /// Whether searches use them.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.is_kept && self.built.is_some()
    }

    /// Whether they come as soon as triggers keep them up to date.
    #[must_use]
    pub(super) fn is_awaited(&self) -> bool {
        self.is_owner && self.form != Form::None && self.is_wanted && !self.is_kept
    }

    /// What is to be done, in order. Pure.
    #[must_use]
    pub(super) fn gaps(&self) -> Vec<Gap> {
        if !self.is_owner {
            return Vec::new();
        }
        // Without triggers they would be wrong from the next write on.
        if self.form == Form::None || !self.is_kept {
            let is_gone = self.built.is_none() && self.indexes.is_empty() && !self.is_filled;
            return if is_gone || self.is_awaited() { Vec::new() } else { vec![Gap::Drop] };
        }
        let mut gaps = Vec::new();
        let form = self.wanted();
        if self.built.is_none() {
            let about = u64::try_from(self.estimated_rows).unwrap_or_default();
            gaps.push(Gap::Copy { form, from_start: !self.is_begun, about });
        }
        let wanted = form.index();
        let is_indexed = self.built == Some(form) && self.indexes.iter().any(|index| wanted == Some(index.as_str()));
        if self.built.is_some() && !is_indexed {
            gaps.push(Gap::Index(form));
        }
        let others = self.indexes.iter().filter(|index| wanted != Some(index.as_str()));
        gaps.extend(others.map(|index| Gap::Unindex(index.clone())));
        if self.built.is_some() && self.fresh > FOLD_AT {
            gaps.push(Gap::Fold);
        }
        if !self.to_grant.is_empty() || !self.to_revoke.is_empty() {
            gaps.push(Gap::Rights { grant: self.to_grant.clone(), revoke: self.to_revoke.clone() });
        }
        gaps
    }

    /// What would let this role do it, where it cannot.
    pub(super) fn closed(&self) -> Option<String> {
        (!self.is_owner && self.form != Form::None && !self.is_in_use())
            .then(|| format!("`GRANT {} TO CURRENT_ROLE`, by an administrator", self.owner))
    }
}

impl Gap {
    /// What was being done, if it fails.
    pub(super) fn doing(&self) -> &'static str {
        match self {
            Self::Drop => "drop the codes of `embeddings`",
            Self::Copy { .. } => "copy vectors into the codes of `embeddings` and index them",
            Self::Index(_) => "build the index of the codes of `embeddings`",
            Self::Unindex(_) => "drop an index of the codes of `embeddings`",
            Self::Fold => "fold the codes of `embeddings`",
            Self::Rights { .. } => "grant the codes of `embeddings`",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => formatter.write_str("to be dropped"),
            Self::Copy { form, from_start: true, about } => {
                write!(formatter, "about {about} vectors to be copied, and indexed as {form}")
            }
            Self::Copy { form, .. } => {
                write!(formatter, "to be copied on from where a run ended, and indexed as {form}")
            }
            Self::Index(form) => write!(formatter, "to be indexed as {form}"),
            Self::Unindex(index) => write!(formatter, "index `{index}` to be dropped"),
            Self::Fold => formatter.write_str("what was written since is to be taken into the index"),
            Self::Rights { .. } => formatter.write_str("to be readable for whoever may read the vectors"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Codes {
        Codes {
            form: Form::Halfvec,
            built: Some(Form::Halfvec),
            is_begun: true,
            is_kept: true,
            is_wanted: true,
            indexes: vec!["embedding_codes_halfvec".into()],
            has_vchord: false,
            is_filled: true,
            fresh: FOLD_AT,
            estimated_rows: 7,
            is_owner: true,
            owner: "owner".into(),
            to_grant: Vec::new(),
            to_revoke: Vec::new(),
        }
    }

    #[test]
    fn what_is_ready_is_left_alone() {
        assert_eq!(ready().gaps(), []);
    }

    #[test]
    fn a_copy_goes_on_where_it_ended_and_is_indexed_then() {
        let cut_off = Codes { built: None, indexes: Vec::new(), ..ready() };
        let copy = |from_start| [Gap::Copy { form: Form::Halfvec, from_start, about: 7 }];
        assert_eq!(cut_off.gaps(), copy(false));
        let new = Codes { is_begun: false, ..cut_off };
        assert_eq!(new.gaps(), copy(true));
    }

    #[test]
    fn another_form_is_built_before_the_first_goes() {
        let other = Codes { form: Form::Bits, ..ready() };
        assert_eq!(other.gaps(), [Gap::Index(Form::Bits), Gap::Unindex("embedding_codes_halfvec".into())]);
    }

    #[test]
    fn what_needs_an_extension_that_is_not_there_is_built_otherwise() {
        let declared = Codes { form: Form::Vchordrq, ..ready() };
        assert!(declared.lacks_vchord() && declared.gaps().is_empty());
        let installed = Codes { has_vchord: true, ..declared };
        assert_eq!(installed.gaps(), [Gap::Index(Form::Vchordrq), Gap::Unindex("embedding_codes_halfvec".into())]);
        // Dropped with its index, after use.
        let dropped = Codes { built: Some(Form::Vchordrq), indexes: Vec::new(), has_vchord: false, ..installed };
        assert_eq!(dropped.gaps(), [Gap::Index(Form::Halfvec)]);
    }

    #[test]
    fn an_index_that_somebody_dropped_is_built_again() {
        assert_eq!(Codes { indexes: Vec::new(), ..ready() }.gaps(), [Gap::Index(Form::Halfvec)]);
    }

    #[test]
    fn what_nothing_keeps_up_goes() {
        let reverted = Codes { is_kept: false, is_wanted: false, ..ready() };
        assert_eq!(reverted.gaps(), [Gap::Drop]);
        assert_eq!(Codes { form: Form::None, ..ready() }.gaps(), [Gap::Drop]);
        let gone = Codes { built: None, indexes: Vec::new(), is_filled: false, ..reverted };
        assert_eq!(gone.gaps(), []);
    }

    #[test]
    fn what_triggers_will_keep_up_waits_for_them() {
        let missing = Codes { is_kept: false, ..ready() };
        assert!(missing.is_awaited() && missing.gaps().is_empty());
        assert!(!ready().is_awaited() && !Codes { form: Form::None, ..missing }.is_awaited());
    }

    #[test]
    fn much_that_waits_is_folded() {
        assert_eq!(Codes { fresh: FOLD_AT + 1, ..ready() }.gaps(), [Gap::Fold]);
    }

    #[test]
    fn who_is_not_the_owner_is_told() {
        let others = Codes { is_owner: false, built: None, ..ready() };
        assert_eq!(others.gaps(), []);
        assert_eq!(others.closed().unwrap(), "`GRANT owner TO CURRENT_ROLE`, by an administrator");
    }
}
