//! Compilation of the tree to an automaton of the `regex` crate.

use regex_automata::meta::{Builder, Config, Regex};
use regex_syntax::hir::{Capture, Class, Hir, Look, Repetition};

use super::{
    class::cases,
    error::{Error, Fault},
    node::Node,
};

/// The largest compiled size that is accepted, in bytes.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// Compiles the expression, anchored at both ends.
pub(super) fn whole(node: &Node) -> Result<Regex, Error> {
    compile(Hir::concat(vec![
        Hir::look(Look::Start),
        hir(node),
        Hir::look(Look::End),
    ]))
}

/// Compiles the expression without anchoring it.
pub(super) fn as_is(node: &Node) -> Result<Regex, Error> {
    compile(hir(node))
}

fn compile(hir: Hir) -> Result<Regex, Error> {
    let config = Config::new().nfa_size_limit(Some(MAX_BYTES));
    let built = Builder::new().configure(config).build_from_hir(&hir);
    // The tree is valid, so the only possible error is the size limit.
    built.map_err(|_| Fault::TooLarge.of_all())
}

fn hir(node: &Node) -> Hir {
    match node {
        Node::Empty => Hir::empty(),
        Node::Literal { text, fold: false } => Hir::literal(text.as_bytes()),
        Node::Literal { text, fold: true } => {
            let characters = text.chars().map(cases).map(Class::Unicode);
            Hir::concat(characters.map(Hir::class).collect())
        }
        Node::Class(class) => Hir::class(Class::Unicode(class.clone())),
        Node::Look(look) => Hir::look(*look),
        Node::Repeat(repeat) => Hir::repetition(Repetition {
            min: repeat.min,
            max: repeat.max,
            greedy: repeat.greedy,
            sub: Box::new(hir(&repeat.node)),
        }),
        Node::Capture { index, node } => Hir::capture(Capture {
            index: *index,
            name: None,
            sub: Box::new(hir(node)),
        }),
        Node::Concat(nodes) => Hir::concat(nodes.iter().map(hir).collect()),
        Node::Alternate(nodes) => Hir::alternation(nodes.iter().map(hir).collect()),
    }
}
