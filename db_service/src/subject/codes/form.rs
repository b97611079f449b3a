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
    /// VectorChord's index on half-precision vectors: 2 KB a vector. Needs the extension `vchord`.
    Vchordrq,
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
            Self::Vchordrq => Some("embedding_codes_vchordrq"),
            Self::None => None,
        }
    }

    /// The names of all of them.
    pub(super) fn indexes() -> impl Iterator<Item = &'static str> {
        [Self::Halfvec, Self::Bits, Self::Vchordrq].into_iter().filter_map(Self::index)
    }

    /// What its index is of, where so many rows are there.
    pub(super) fn definition(self, rows: u64, of_vchord: &OfVchord<'_>) -> String {
        match self {
            // 0.99 of the nearest ten at ef_search 60, where m 16 takes 120.
            Self::Halfvec => "hnsw (half public.halfvec_cosine_ops) WITH (m = 24, ef_construction = 128)".to_owned(),
            Self::Bits => {
                "hnsw ((public.binary_quantize(half)::bit(768)) public.bit_hamming_ops) WITH (m = 16, ef_construction = 64)"
                    .to_owned()
            }
            Self::Vchordrq => {
                let OfVchord { schema, threads } = of_vchord;
                let lists = lists(rows);
                format!(
                    "vchordrq (half {schema}.halfvec_cosine_ops) WITH (options = $options$\n\
                     residual_quantization = true\n[build.internal]\nlists = [{lists}]\nspherical_centroids = true\n\
                     build_threads = {threads}\n$options$)"
                )
            }
            Self::None => String::new(),
        }
    }
}

/// What an index of VectorChord takes besides.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfVchord<'a> {
    /// Where its operator classes are; quoted.
    pub(super) schema: &'a str,
    /// How many threads look for the lists' centres.
    pub(super) threads: usize,
}

/// Lists of about 250 rows, and from four million rows on eight times the square root of their number, since centres are compared
/// with the vector that is searched for one by one.
fn lists(rows: u64) -> u64 {
    (rows / 250).min(8 * rows.isqrt()).max(1)
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "halfvec" => Ok(Self::Halfvec),
            "bits" => Ok(Self::Bits),
            "vchordrq" => Ok(Self::Vchordrq),
            "none" => Ok(Self::None),
            other => Err(format!("`{other}` is no form of codes: `halfvec`, `bits`, `vchordrq` and `none` are")),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Halfvec => "halfvec",
            Self::Bits => "bits",
            Self::Vchordrq => "vchordrq",
            Self::None => "none",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_of_some_hundred_rows_and_no_more_than_centres_can_be_compared() {
        assert_eq!([0, 100, 12_800, 1_000_000].map(lists), [1, 1, 51, 4000]);
        assert_eq!(lists(4_000_000), 16_000);
        assert_eq!(lists(100_000_000), 80_000);
    }

    #[test]
    fn an_index_of_vectorchord_names_the_schema_of_its_operators() {
        let of_vchord = OfVchord { schema: "\"a b\"", threads: 3 };
        let definition = Form::Vchordrq.definition(12_800, &of_vchord);
        assert!(definition.starts_with("vchordrq (half \"a b\".halfvec_cosine_ops) WITH (options = $options$\n"));
        assert!(
            definition.contains("\nlists = [51]\n") && definition.contains("\nbuild_threads = 3\n"),
            "{definition}"
        );
    }
}
