//! A file's language, by its name.

/// Extensions, or whole names, of each language.
const LANGUAGES: &[(&str, &[&str])] = &[
    ("assembly", &["asm", "s"]),
    ("c", &["c", "h"]),
    ("c#", &["cs"]),
    ("c++", &["cc", "cpp", "cxx", "hh", "hpp", "hxx"]),
    ("clojure", &["clj", "cljs"]),
    ("cmake", &["cmake", "cmakelists.txt"]),
    ("css", &["css", "scss"]),
    ("dart", &["dart"]),
    ("dockerfile", &["dockerfile"]),
    ("eex", &["eex", "heex", "leex"]),
    ("elixir", &["ex", "exs"]),
    ("elm", &["elm"]),
    ("erlang", &["erl", "hrl"]),
    ("fortran", &["f", "f90"]),
    ("gleam", &["gleam"]),
    ("go", &["go"]),
    ("graphql", &["graphql"]),
    ("haskell", &["hs"]),
    ("html", &["htm", "html"]),
    ("ini", &["cfg", "ini"]),
    ("java", &["java"]),
    ("javascript", &["cjs", "js", "jsx", "mjs"]),
    ("json", &["json"]),
    ("julia", &["jl"]),
    ("kotlin", &["kt", "kts"]),
    ("lua", &["lua"]),
    ("makefile", &["makefile", "mk"]),
    ("markdown", &["markdown", "md"]),
    ("nix", &["nix"]),
    ("objective-c", &["m"]),
    ("ocaml", &["ml", "mli"]),
    ("perl", &["pl", "pm"]),
    ("php", &["php"]),
    ("protobuf", &["proto"]),
    ("python", &["py", "pyi"]),
    ("r", &["r"]),
    ("ruby", &["gemspec", "rb"]),
    ("rust", &["rs"]),
    ("scala", &["scala"]),
    ("shell", &["bash", "sh", "zsh"]),
    ("sql", &["sql"]),
    ("svelte", &["svelte"]),
    ("svg", &["svg"]),
    ("swift", &["swift"]),
    ("text", &["txt"]),
    ("toml", &["toml"]),
    ("typescript", &["ts", "tsx"]),
    ("vue", &["vue"]),
    ("xml", &["xml"]),
    ("yaml", &["yaml", "yml"]),
    ("zig", &["zig"]),
];

/// Those of the names that are no extensions.
const WHOLE: [&str; 3] = ["cmakelists.txt", "dockerfile", "makefile"];

/// The language of the file at `path`, if its name tells; upper and lower case alike.
#[must_use]
pub fn of(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let of = |wanted: &str| LANGUAGES.iter().find(|(_, names)| names.contains(&wanted)).map(|(language, _)| *language);
    // A whole name tells more: `CMakeLists.txt` is no text.
    of(&name).filter(|_| WHOLE.contains(&name.as_str())).or_else(|| of(extension?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_language() {
        for (path, language) in [
            ("src/lib.rs", Some("rust")),
            ("lib/a/repo.EX", Some("elixir")),
            ("CMakeLists.txt", Some("cmake")),
            ("notes.txt", Some("text")),
            ("docker/Dockerfile", Some("dockerfile")),
            ("a.rs/LICENSE", None),
            ("x.unknown", None),
            ("", None),
        ] {
            assert_eq!(of(path), language, "{path}");
        }
    }

    #[test]
    fn no_name_has_two_languages() {
        let mut names: Vec<&str> = LANGUAGES.iter().flat_map(|(_, names)| *names).copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
