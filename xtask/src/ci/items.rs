//! What an item of a file is called, and whether it is there for tests only.

use syn::{Attribute, Ident, Item, Meta, Token, punctuated::Punctuated};

/// The attributes of an item, and the name that it defines; those of a module are its own.
pub(super) fn heading(item: &Item) -> (&[Attribute], Option<&Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, None),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}

/// `#[cfg(test)]`, `#[cfg(all(test, …))]`.
pub(super) fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<Meta>().is_ok_and(|condition| needs_test(&condition))
}

fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else { return condition.path().is_ident("test") };
    let parts = Punctuated::<Meta, Token![,]>::parse_terminated;
    list.path.is_ident("all") && list.parse_args_with(parts).is_ok_and(|conditions| conditions.iter().any(needs_test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_that_hold_in_tests_only_are_told_from_others() {
        for (attribute, expected) in [
            ("#[cfg(test)]", true),
            ("#[cfg(all(unix, test))]", true),
            ("#[cfg(not(test))]", false),
            ("#[cfg(any(test, unix))]", false),
            (r#"#[cfg(feature = "test")]"#, false),
            ("#[test]", false),
        ] {
            let item: Item = syn::parse_str(&format!("{attribute} fn name() {{}}")).unwrap();
            let (attributes, name) = heading(&item);
            assert_eq!((attributes.iter().any(is_for_tests), name.unwrap().to_string()), (expected, "name".into()));
        }
    }
}
