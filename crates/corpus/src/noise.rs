//! Vectors that differ a little from one that there is: more of them, in the same clusters.

use sha2::{Digest as _, Sha256};

use crate::DIMENSIONS;
use crate::batch::VectorRow;

/// The length of what is added to a vector of length 1.
const LENGTH: f32 = 0.35;

/// One beside it; each number is another. Its path says so behind a `#`, which is what parts of a file have.
pub(crate) fn beside(row: &VectorRow, number: u32) -> VectorRow {
    let VectorRow { repository, path, vector, .. } = row;
    let content_hash: [u8; 32] = Sha256::digest(format!("{repository}\0{path}\0{number}")).into();
    let mut random = content_hash.first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes) | 1);
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    // An even distribution from -1 to 1 has a third of the square of its bound as its mean square.
    let dimensions = f32::from(u16::try_from(DIMENSIONS).unwrap_or(u16::MAX));
    let most = LENGTH * length * (3.0 / dimensions).sqrt();
    let vector = vector.iter().map(|value| value + most * even(&mut random)).collect();
    let path = if path.contains('#') { format!("{path}~{number}") } else { format!("{path}#~{number}") };
    VectorRow { repository: repository.clone(), path, content_hash, vector }
}

/// The next number from -1 to 1.
fn even(random: &mut u64) -> f32 {
    // xorshift64
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    let bits = u16::try_from(*random >> 48).unwrap_or_default();
    f32::from(bits) / 32767.5 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_far_away_as_was_said_and_always_the_same() {
        let vector: Vec<f32> = (0..DIMENSIONS).map(|it| if it == 3 { 1.0 } else { 0.0 }).collect();
        let row = VectorRow { repository: "r".into(), path: "a.rs".into(), content_hash: [0; 32], vector };
        let one = beside(&row, 1);
        let away = one.vector.iter().zip(&row.vector).map(|(one, other)| (one - other).powi(2)).sum::<f32>().sqrt();
        assert!((away - LENGTH).abs() < 0.02, "{away}");
        assert_eq!((one.path.as_str(), &one), ("a.rs#~1", &beside(&row, 1)));
        assert_ne!(one.vector, beside(&row, 2).vector);
    }
}
