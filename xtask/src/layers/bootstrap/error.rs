//! What stops the bootstrap layer.

use terminal::Exit;

use super::absence::Absence;

/// What stops this layer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExtensionError {
    #[error("cannot install extension `{name}` in database `{database}`")]
    Required {
        name: &'static str,
        database: String,
        #[source]
        why: Absence,
    },
    #[error("`--require {name}` names no extension that the project knows")]
    Unknown { name: String, known: String },
    #[error("the header of a migration uses extension `{name}`, which the project does not know")]
    UnknownInHeader { name: String, known: String },
    #[error("database `{database}` has the encoding {encoding}, not UTF8")]
    Encoding { database: String, encoding: String },
}

impl ExtensionError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Unknown { .. } => Exit::Usage,
            Self::UnknownInHeader { .. } => Exit::Violation,
            _ => Exit::Failed,
        }
    }

    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Required { why, .. } => why.remedy.clone(),
            Self::Unknown { known, .. } | Self::UnknownInHeader { known, .. } => format!("known are {known}"),
            Self::Encoding { .. } => {
                "create it anew with `ENCODING 'UTF8' TEMPLATE template0`; an encoding cannot be changed".into()
            }
        }
    }
}
