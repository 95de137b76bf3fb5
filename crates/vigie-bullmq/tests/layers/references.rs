//! Reads which modules the sources of a crate refer to: in `use` declarations, paths in code, and macros.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A use of a path by a module, both from the root of the crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) from: Vec<String>,
    pub(crate) to: Vec<String>,
}

/// All Rust files of a directory.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false if path.extension().is_some_and(|end| end == "rs") => files.push(path),
            false => {}
        }
    }
    files.sort();
    files
}

fn tokens(file: &Path) -> Vec<TokenTree> {
    let text = std::fs::read_to_string(file).unwrap();
    let tokens: TokenStream = text.parse().unwrap();
    tokens.into_iter().collect()
}

/// The module of a file, by its place.
fn place(root: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(root).unwrap().with_extension("");
    let mut names: Vec<_> = path
        .iter()
        .map(|name| name.to_str().unwrap().to_owned())
        .collect();
    names.pop_if(|name| name == "mod" || name == "lib");
    names
}

/// The modules of files, by file. Those with a `path` attribute belong to the module that declares them.
fn modules_of(root: &Path) -> BTreeMap<PathBuf, Vec<String>> {
    let files = files(root);
    let places = files.iter().map(|file| (file.clone(), place(root, file)));
    let mut modules: BTreeMap<_, _> = places.collect();
    for file in &files {
        let tokens = tokens(file);
        for (at, token) in tokens.iter().enumerate() {
            let (Some(path), TokenTree::Group(_)) = (path_attribute(token), token) else {
                continue;
            };
            let keyword = |token: &TokenTree| token.to_string() == "mod";
            let keyword = at + tokens[at..].iter().position(keyword).unwrap();
            let mut module = modules[file].clone();
            module.push(tokens[keyword + 1].to_string());
            modules.insert(file.with_file_name(path), module);
        }
    }
    modules
}

/// The file in `[path = "file"]`.
fn path_attribute(token: &TokenTree) -> Option<String> {
    let text = token.to_string();
    let path = text.strip_prefix("[path")?.trim_start().strip_prefix('=')?;
    let path = path.trim_end_matches(']').trim();
    Some(path.trim_matches('"').to_owned())
}

/// The modules of the first two levels, without test modules in files of their own.
pub(crate) fn modules(root: &Path) -> Vec<Vec<String>> {
    let modules = modules_of(root).into_values();
    modules
        .filter(|module| (1..=2).contains(&module.len()))
        .collect()
}

/// All references in the sources of a crate.
pub(crate) fn references_in(root: &Path) -> Vec<Reference> {
    let mut found = Vec::new();
    for (file, module) in modules_of(root) {
        collect(&tokens(&file), &module, &mut found);
    }
    found
}

fn is_punctuation(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == wanted)
}

fn word(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(word)) => Some(word.to_string()),
        _ => None,
    }
}

fn inside(token: Option<&TokenTree>) -> Option<Vec<TokenTree>> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            Some(group.stream().into_iter().collect())
        }
        _ => None,
    }
}

/// Whether `::` is at this position.
fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punctuation(tokens.get(at), ':') && is_punctuation(tokens.get(at + 1), ':')
}

fn collect(tokens: &[TokenTree], module: &[String], found: &mut Vec<Reference>) {
    let mut at = 0;
    while at < tokens.len() {
        let first = word(tokens.get(at));
        if first.as_deref() == Some("mod")
            && let (Some(name), Some(body)) = (word(tokens.get(at + 1)), inside(tokens.get(at + 2)))
        {
            collect(&body, &[module, &[name]].concat(), found);
            at += 3;
            continue;
        }
        let base = match first.as_deref() {
            Some("crate") => Some(Vec::new()),
            Some("self") => Some(module.to_vec()),
            Some("super") => Some(parent(module)),
            _ => None,
        };
        // Not a segment of a longer path, and not `$crate`.
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let is_segment = at > 1 && is_separator(tokens, at - 2);
        let is_first = !is_segment && !is_punctuation(before, '$');
        match base {
            Some(base) if is_first && is_separator(tokens, at + 1) => {
                at = path(tokens, at + 1, base, module, found);
            }
            _ => {
                if let TokenTree::Group(group) = &tokens[at] {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    collect(&inner, module, found);
                }
                at += 1;
            }
        }
    }
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// Follows a path from the separator at `at`. Returns the position after it.
fn path(
    tokens: &[TokenTree],
    mut at: usize,
    mut to: Vec<String>,
    module: &[String],
    found: &mut Vec<Reference>,
) -> usize {
    while is_separator(tokens, at) {
        if let Some(name) = word(tokens.get(at + 2)) {
            match name.as_str() {
                "super" => to = parent(&to),
                "self" => {}
                _ => to.push(name),
            }
            at += 3;
        } else if let Some(trees) = inside(tokens.get(at + 2)) {
            for tree in trees.split(|token| is_punctuation(Some(token), ',')) {
                branch(tree, &to, module, found);
            }
            return at + 3;
        } else {
            // A glob, or type arguments.
            break;
        }
    }
    found.push(Reference {
        from: module.to_vec(),
        to,
    });
    at
}

/// One element of the braces in a `use` declaration.
fn branch(tree: &[TokenTree], prefix: &[String], module: &[String], found: &mut Vec<Reference>) {
    let mut to = prefix.to_vec();
    match word(tree.first()) {
        None if tree.is_empty() => return,
        None => {}
        Some(name) if name == "self" => {}
        Some(name) => to.push(name),
    }
    path(tree, 1, to, module, found);
}

#[test]
fn all_forms_of_paths_are_read() {
    let source = r#"
        use crate::a::{self, b::{c, d as e}, f::*};
        use super::g::H;
        pub(crate) use self::own::Item;
        pub(in crate::visible) fn f<T: crate::bound::T>(x: &crate::typed::X) -> Vec<u8> {
            // crate::comment::X
            assert!(crate::in_macro::x(super::super::up::y), "crate::text::x");
            std::mem::take(&mut crate::turbofish::z::<u8>());
            macro_rules! m { () => { $crate::other::X } }
        }
        mod tests {
            use super::*;
            use super::super::sibling::X;
        }
    "#;
    let tokens: TokenStream = source.parse().unwrap();
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut found = Vec::new();
    collect(&tokens, &["top".to_owned(), "mine".to_owned()], &mut found);
    let found = found.iter().map(|found| {
        let test = if found.from.len() > 2 { "tests " } else { "" };
        format!("{test}{}", found.to.join("::"))
    });
    let expected = [
        "a",
        "a::b::c",
        "a::b::d",
        "a::f",
        "top::g::H",
        "top::mine::own::Item",
        "visible",
        "bound::T",
        "typed::X",
        "in_macro::x",
        "up::y",
        "turbofish::z",
        "tests top::mine",
        "tests top::sibling::X",
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}
