//! SQL cut into tokens as PostgreSQL does it, as far as needed to know what is quoted.
//!
//! After the rules of the manual's chapter on lexical structure, with `standard_conforming_strings` on, which `pg_dump` sets.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Comment,
    /// A key word or a name.
    Word,
    /// A name in double quotes.
    Name,
    /// A string, in whichever quotes.
    Text,
    Symbol,
}

/// A token, and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this key word, written without quotes.
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// Whether it says anything to the server.
    pub(super) fn counts(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment)
    }

    /// The name that it is, if it is one.
    pub(super) fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_lowercase()),
            Kind::Name => Some(self.text[1..].strip_suffix('"')?.replace("\"\"", "\"")),
            _ => None,
        }
    }
}

/// The tokens of a text from `start` on; what is quoted and never ends is one token to the end.
pub(super) fn tokens(text: &str, start: usize) -> impl Iterator<Item = Token<'_>> {
    let mut start = start;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let (kind, length) = first(rest);
        let token = Token { kind, text: &rest[..length], start };
        start += length;
        Some(token)
    })
}

/// The tokens that say something.
pub(super) fn significant(text: &str) -> Vec<Token<'_>> {
    tokens(text, 0).filter(Token::counts).collect()
}

fn first(rest: &str) -> (Kind, usize) {
    let character = rest.chars().next().unwrap_or_default();
    let run = |is: fn(char) -> bool| rest.find(|character| !is(character)).unwrap_or(rest.len());
    if character.is_ascii_whitespace() {
        (Kind::Space, run(|character| character.is_ascii_whitespace()))
    } else if rest.starts_with("--") {
        (Kind::Comment, rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        (Kind::Comment, comment(rest))
    } else if character == '\'' {
        (Kind::Text, quoted(rest, b'\'', false))
    } else if character == '"' {
        (Kind::Name, quoted(rest, b'"', false))
    } else if rest.starts_with("E'") || rest.starts_with("e'") {
        (Kind::Text, 1 + quoted(&rest[1..], b'\'', true))
    } else if starts_name(character) {
        (Kind::Word, run(continues_name))
    } else if let Some(tag) = dollar_tag(rest) {
        let body = &rest[tag.len()..];
        (Kind::Text, body.find(tag).map_or(rest.len(), |end| end + 2 * tag.len()))
    } else if character == '$' || character.is_ascii_digit() {
        // A parameter or a number: a `$` in it begins no quote.
        (Kind::Symbol, 1 + rest[1..].find(|next| !continues_name(next)).unwrap_or(rest.len() - 1))
    } else {
        (Kind::Symbol, character.len_utf8())
    }
}

fn starts_name(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_' || !character.is_ascii()
}

fn continues_name(character: char) -> bool {
    starts_name(character) || character.is_ascii_digit() || character == '$'
}

/// The length of a comment that begins here; comments nest.
fn comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let step = match rest.as_bytes()[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of what begins with a quote here. A doubled quote is one in the text, and does not end it.
fn quoted(rest: &str, quote: u8, has_escapes: bool) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.as_bytes().get(at) {
        if *byte == quote && rest.as_bytes().get(at + 1) != Some(&quote) {
            return at + 1;
        }
        at += if *byte == quote || (has_escapes && *byte == b'\\') { 2 } else { 1 };
    }
    rest.len()
}

/// `$$` or `$tag$`, if one begins here.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest.strip_prefix('$')?.find('$')?;
    let tag = &rest[1..=end];
    let is_tag = tag.is_empty() || (tag.starts_with(starts_name) && tag.chars().all(continues_name));
    is_tag.then(|| &rest[..end + 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is quoted or commented, and what is not.
    fn cut(text: &str) -> Vec<(Kind, &str)> {
        tokens(text, 0).filter(|token| token.kind != Kind::Space).map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn what_is_quoted_is_one_token() {
        use Kind::{Comment, Name, Symbol, Text, Word};
        for (text, tokens) in [
            ("$$ ; $a$ ' $$;", vec![(Text, "$$ ; $a$ ' $$"), (Symbol, ";")]),
            ("$a$ $$;$$ $b$ $a$;", vec![(Text, "$a$ $$;$$ $b$ $a$"), (Symbol, ";")]),
            ("$été$;$été$", vec![(Text, "$été$;$été$")]),
            ("a$b$;", vec![(Word, "a$b$"), (Symbol, ";")]),
            ("$1;$2", vec![(Symbol, "$1"), (Symbol, ";"), (Symbol, "$2")]),
            ("'a'';' ;", vec![(Text, "'a'';'"), (Symbol, ";")]),
            (r"'\';", vec![(Text, r"'\'"), (Symbol, ";")]),
            (r"E'\';' ;", vec![(Text, r"E'\';'"), (Symbol, ";")]),
            (r"e'\\';", vec![(Text, r"e'\\'"), (Symbol, ";")]),
            (r"E'a''\'' ;", vec![(Text, r"E'a''\''"), (Symbol, ";")]),
            ("type'\\';", vec![(Word, "type"), (Text, "'\\'"), (Symbol, ";")]),
            ("\"a\"\";'\";", vec![(Name, "\"a\"\";'\""), (Symbol, ";")]),
            ("/* a /* ; */ ' */;", vec![(Comment, "/* a /* ; */ ' */"), (Symbol, ";")]),
            ("-- it's ;\n;", vec![(Comment, "-- it's ;"), (Symbol, ";")]),
            ("'never ends;", vec![(Text, "'never ends;")]),
            ("$$never ends;", vec![(Text, "$$never ends;")]),
            ("/*/ ;", vec![(Comment, "/*/ ;")]),
        ] {
            assert_eq!(cut(text), tokens, "{text}");
        }
    }
}
