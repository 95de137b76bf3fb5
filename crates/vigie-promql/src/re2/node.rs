//! The tree of an expression.

use regex_syntax::hir::{ClassUnicode, Look};

/// An expression, with its flags resolved.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Matches the empty text.
    Empty,
    /// Characters in a row; with `fold`, in any case.
    Literal { text: String, fold: bool },
    /// One of these characters.
    Class(ClassUnicode),
    /// A place, such as the beginning of a line.
    Look(Look),
    /// Copies of an expression.
    Repeat(Repeat),
    /// A group whose match is asked for.
    Capture { index: u32, node: Box<Node> },
    /// Expressions in a row. None of them is a `Concat`.
    Concat(Vec<Node>),
    /// Alternatives, the first preferred. None of them is an `Alternate`.
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

/// A node with its measures, as Go takes them.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) node: Node,
    /// The depth of the tree.
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

    /// The node for expressions in a row.
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

    /// The node for alternatives.
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
            // Several nodes at once come from a node that is dissolved.
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
