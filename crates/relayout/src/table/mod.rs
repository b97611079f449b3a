//! A table: its logical definition, what was made from it, and what stands against changing how it is stored.

pub(crate) mod attachments;
pub(crate) mod definition;
pub(crate) mod dependents;
pub(crate) mod kept_trigger;
pub(crate) mod obstacle;
pub(crate) mod parts;
pub(crate) mod privileges;
