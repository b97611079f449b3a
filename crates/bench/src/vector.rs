//! A vector as a parameter of its own type: a text that is cast would be read again for every row that it is compared with.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};

/// Components in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Vector(pub(crate) Vec<f32>);

impl Type<Postgres> for Vector {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("vector")
    }
}

impl Encode<'_, Postgres> for Vector {
    /// As pgvector's `vector_recv` reads it: the number of components, two bytes of zero, and the components.
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&u16::try_from(self.0.len())?.to_be_bytes());
        buffer.extend_from_slice(&[0; 2]);
        for component in &self.0 {
            buffer.extend_from_slice(&component.to_be_bytes());
        }
        Ok(IsNull::No)
    }
}

impl Vector {
    /// As pgvector writes it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let components = text.strip_prefix('[')?.strip_suffix(']')?.split(',').map(str::parse);
        components.collect::<Result<_, _>>().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_pgvector_writes_it_and_written_as_it_is_received() {
        let vector = Vector::read("[1,-0.5,1e-05]").unwrap();
        assert_eq!(vector, Vector(vec![1.0, -0.5, 0.00001]));
        let mut buffer = PgArgumentBuffer::default();
        assert!(matches!(vector.encode_by_ref(&mut buffer), Ok(IsNull::No)));
        assert_eq!(buffer[..8], [0, 3, 0, 0, 0x3f, 0x80, 0, 0]);
        assert_eq!(Vector::read("1,2"), None);
        assert_eq!(Vector::read("[a]"), None);
    }
}
