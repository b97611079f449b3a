//! What a language model is asked.

/// Its text, and what it means.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    text: String,
    vector: Option<Vec<f32>>,
}

impl Prompt {
    /// Without its meaning only the same text is found.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), vector: None }
    }

    /// The vector that an embedding model has made of it: 768 dimensions, as the column has them.
    #[must_use]
    pub fn meaning(self, vector: Vec<f32>) -> Self {
        Self { vector: Some(vector), ..self }
    }

    /// What is asked.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn vector(&self) -> Option<&[f32]> {
        self.vector.as_deref()
    }
}
