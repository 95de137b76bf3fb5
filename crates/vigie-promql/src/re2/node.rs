//! The syntax tree of an expression.

use regex_syntax::hir::{ClassUnicode, Look};

/// An expression, with its flags resolved.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Matches the empty text.
    Empty,
    /// A sequence of characters; case-insensitive if `fold`.
    Literal { text: String, fold: bool },
    /// One character of a class.
    Class(ClassUnicode),
    /// A zero-width assertion, such as the beginning of a line.
    Look(Look),
    /// A repetition.
    Repeat(Repeat),
    /// A capturing group.
    Capture { index: u32, node: Box<Node> },
    /// A sequence. No item is a `Concat`.
    Concat(Vec<Node>),
    /// Alternatives, in order of preference. No item is an `Alternate`.
    Alternate(Vec<Node>),
}

/// `node{min,max}`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Repeat {
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    pub(super) greedy: bool,
    pub(super) node: Box<Node>,
}

/// A node with the measures that Go limits.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) node: Node,
    /// The height of the tree.
    pub(super) height: u32,
    /// The number of copies of its most repeated part.
    pub(super) copies: u32,
}

impl Measured {
    pub(super) fn leaf(node: Node) -> Self {
        Self {
            node,
            height: 1,
            copies: 1,
        }
    }

    /// Joins a sequence into one node.
    pub(super) fn concat(items: Vec<Self>) -> Self {
        let splice = |node, out: &mut Vec<Node>| match (node, out.last_mut()) {
            (Node::Concat(nodes), _) => out.extend(nodes),
            (
                Node::Literal { text, fold },
                Some(Node::Literal {
                    text: before,
                    fold: same,
                }),
            ) if fold == *same => before.push_str(&text),
            (node, _) => out.push(node),
        };
        Self::joined(items, Node::Empty, Node::Concat, splice)
    }

    /// Joins alternatives into one node.
    pub(super) fn alternate(items: Vec<Self>) -> Self {
        let splice = |node, out: &mut Vec<Node>| match node {
            Node::Alternate(nodes) => out.extend(nodes),
            node => out.push(node),
        };
        Self::joined(items, Node::Empty, Node::Alternate, splice)
    }

    fn joined(
        mut items: Vec<Self>,
        empty: Node,
        join: fn(Vec<Node>) -> Node,
        splice: impl Fn(Node, &mut Vec<Node>),
    ) -> Self {
        if items.len() <= 1 {
            return items.pop().unwrap_or_else(|| Self::leaf(empty));
        }
        let mut joined = Self::leaf(Node::Empty);
        let mut nodes = Vec::with_capacity(items.len());
        for item in items {
            joined.copies = joined.copies.max(item.copies);
            let (height, before) = (item.height, nodes.len());
            splice(item.node, &mut nodes);
            // More than one node at once comes from flattening a nested node.
            let dissolved = u32::from(nodes.len() > before + 1);
            joined.height = joined.height.max(height + 1 - dissolved);
        }
        joined.node = match nodes.len() {
            1 => nodes.remove(0),
            _ => join(nodes),
        };
        joined
    }
}
