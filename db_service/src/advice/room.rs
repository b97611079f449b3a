//! What the indexes that searches go through take, and whether a machine has the memory for it.

use super::measured::Measured;
use crate::sizing::{Amount, Sizes, memory_for};
use crate::subject::codes::Form;

/// For what there is memory. All in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// How much there is, nobody knows.
    NotKnown,
    /// For all of it.
    ForAll,
    /// If the codes are bits.
    ForBits,
    /// Not even then.
    ForNone { memory: u64 },
}

pub(super) fn room(measured: &Measured) -> Room {
    let Some((memory, _)) = measured.memory() else { return Room::NotKnown };
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
