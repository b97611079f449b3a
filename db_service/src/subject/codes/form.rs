//! The forms that codes have.

use std::fmt;
use std::str::FromStr;

/// How the codes are indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An HNSW index on half-precision vectors: 2 KB a vector.
    Halfvec,
    /// An HNSW index on their signs, whose candidates are compared by half-precision vectors: 0.4 KB a vector.
    Bits,
    /// No codes: searches across repositories go to the leaves.
    None,
}

impl Form {
    /// The name of its index.
    #[must_use]
    pub fn index(self) -> Option<&'static str> {
        match self {
            Self::Halfvec => Some("embedding_codes_halfvec"),
            Self::Bits => Some("embedding_codes_bits"),
            Self::None => None,
        }
    }

    /// What its index is of.
    pub(super) fn definition(self) -> &'static str {
        match self {
            // 0.99 of the nearest ten at ef_search 60, where m 16 takes 120.
            Self::Halfvec => "hnsw (half public.halfvec_cosine_ops) WITH (m = 24, ef_construction = 128)",
            Self::Bits => {
                "hnsw ((public.binary_quantize(half)::bit(768)) public.bit_hamming_ops) WITH (m = 16, ef_construction = 64)"
            }
            Self::None => "",
        }
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "halfvec" => Ok(Self::Halfvec),
            "bits" => Ok(Self::Bits),
            "none" => Ok(Self::None),
            other => Err(format!("`{other}` is no form of codes: `halfvec`, `bits` and `none` are")),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Halfvec => "halfvec",
            Self::Bits => "bits",
            Self::None => "none",
        })
    }
}
