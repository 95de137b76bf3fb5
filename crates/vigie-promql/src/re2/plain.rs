//! Matchers without an automaton: a set of values, such as `a|b|c`, and globs, such as `api-.*`.
//!
//! Dashboards send expressions with thousands of values. As a hash set they are matched by one lookup.

use std::{borrow::Cow, collections::HashSet};

use foldhash::fast::RandomState;
use regex_syntax::hir::Look;

use super::{
    class::{count, fold, folded, has_cases, is_any},
    node::{Node, Repeat},
};

/// The largest character class that is expanded into single characters.
const MAX_OF_CLASS: usize = 32;
/// The maximum number of values from combining parts, such as `(a|b)(c|d)`.
const MAX_COMBINED: usize = 1000;
/// The maximum number of copies of a part.
const MAX_COPIES: u32 = 32;
/// The maximum number of globs, which are tried one after another.
const MAX_GLOBS: usize = 16;
/// The maximum number of bytes copied to combine values, in addition to a multiple of the expression's length.
const MAX_COPIED: usize = 4 << 20;
/// The approximate size of a value in addition to its text, in bytes.
const VALUE_BYTES: usize = 32;

#[derive(Clone, Debug)]
pub(crate) struct Plain {
    /// Whether matching ignores case. Values and globs are stored folded.
    fold: bool,
    values: HashSet<Box<str>, RandomState>,
    globs: Vec<Glob>,
    bytes: usize,
}

impl Plain {
    /// Returns `None` if the expression needs an automaton.
    pub(super) fn new(node: &Node, length: usize) -> Option<Self> {
        let mut letters = Letters::default();
        letters.visit(node);
        let fold = letters.case_insensitive;
        if letters.in_large_class || fold && letters.case_sensitive {
            return None;
        }
        let left = MAX_COPIED + 4 * length;
        let mut expansion = Expansion { fold, left };
        let mut plain = Self {
            fold,
            values: HashSet::default(),
            globs: Vec::new(),
            bytes: 0,
        };
        for pieces in expansion.of(node)? {
            let glob = Glob::new(pieces)?;
            let texts = glob.gaps.iter().map(|gap| &gap.text).chain([&glob.prefix]);
            plain.bytes += texts.map(|text| text.len() + VALUE_BYTES).sum::<usize>();
            match glob {
                glob if glob.gaps.is_empty() => {
                    plain.values.insert(glob.prefix.into_boxed_str());
                }
                glob => plain.globs.push(glob),
            }
        }
        (plain.globs.len() <= MAX_GLOBS).then_some(plain)
    }

    pub(super) fn is_match(&self, value: &str) -> bool {
        let value = match self.fold {
            true => Cow::Owned(value.chars().map(fold).collect()),
            false => Cow::Borrowed(value),
        };
        self.values.contains(&*value) || self.globs.iter().any(|glob| glob.is_match(&value))
    }

    /// The approximate size in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Literals separated by gaps.
#[derive(Clone, Debug)]
struct Glob {
    prefix: String,
    gaps: Vec<Gap>,
}

/// A gap of at least `least` characters, and the literal after it.
#[derive(Clone, Debug)]
struct Gap {
    least: usize,
    text: String,
}

impl Glob {
    /// Returns `None` if the pieces contain an end-of-text assertion before the end.
    fn new(mut pieces: Vec<Piece>) -> Option<Self> {
        let begins = pieces.iter().take_while(|piece| **piece == Piece::Start);
        pieces.drain(..begins.count());
        while pieces.last() == Some(&Piece::End) {
            pieces.pop();
        }
        let mut glob = Self {
            prefix: String::new(),
            gaps: Vec::new(),
        };
        for piece in pieces {
            match (piece, glob.gaps.last_mut()) {
                (Piece::Text(text), None) => glob.prefix.push_str(&text),
                (Piece::Text(text), Some(gap)) => gap.text.push_str(&text),
                (Piece::Gap(least), Some(gap)) if gap.text.is_empty() => gap.least += least,
                (Piece::Gap(least), _) => glob.gaps.push(Gap {
                    least,
                    text: String::new(),
                }),
                (Piece::Start | Piece::End, _) => return None,
            }
        }
        Some(glob)
    }

    /// Matches greedily: for every literal but the last, the first occurrence is sufficient.
    fn is_match(&self, value: &str) -> bool {
        let Some(mut rest) = value.strip_prefix(&*self.prefix) else {
            return false;
        };
        let Some((last, gaps)) = self.gaps.split_last() else {
            return rest.is_empty();
        };
        for gap in gaps {
            let found = skip(rest, gap.least).and_then(|rest| rest.split_once(&*gap.text));
            match found {
                Some((_, behind)) => rest = behind,
                None => return false,
            }
        }
        let between = rest.strip_suffix(&*last.text);
        between.is_some_and(|between| skip(between, last.least).is_some())
    }
}

/// The text without its first `characters` characters; `None` if it is shorter.
fn skip(text: &str, characters: usize) -> Option<&str> {
    if characters == 0 {
        return Some(text);
    }
    let mut rest = text.chars();
    rest.nth(characters - 1)?;
    Some(rest.as_str())
}

/// A part of a value.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    /// At least this many characters.
    Gap(usize),
    Start,
    End,
}

/// Whether literals are case-sensitive or not.
#[derive(Default)]
struct Letters {
    in_large_class: bool,
    case_sensitive: bool,
    case_insensitive: bool,
}

impl Letters {
    fn visit(&mut self, node: &Node) {
        match node {
            Node::Empty | Node::Look(_) => {}
            Node::Literal { text, fold } => {
                let letters = text.chars().any(has_cases);
                self.case_sensitive |= letters && !fold;
                self.case_insensitive |= letters && *fold;
            }
            Node::Class(class) if is_any(class) => {}
            Node::Class(class) if count(class) > MAX_OF_CLASS => self.in_large_class = true,
            // A class lists the cases it matches, so it is case-sensitive unless folding leaves it unchanged.
            Node::Class(class) => self.case_sensitive |= folded(class.clone()) != *class,
            Node::Repeat(Repeat { node, .. }) | Node::Capture { node, .. } => self.visit(node),
            Node::Concat(nodes) | Node::Alternate(nodes) => {
                nodes.iter().for_each(|node| self.visit(node));
            }
        }
    }
}

fn one(piece: Piece) -> Option<Values> {
    Some(vec![vec![piece]])
}

/// Expands an expression into all its values.
struct Expansion {
    fold: bool,
    /// The remaining budget of copied bytes.
    left: usize,
}

type Values = Vec<Vec<Piece>>;

impl Expansion {
    /// Returns `None` if there are too many values, or parts that cannot be expanded.
    fn of(&mut self, node: &Node) -> Option<Values> {
        match node {
            Node::Empty => Some(vec![Vec::new()]),
            Node::Literal { text, .. } => one(self.text(text)),
            Node::Class(class) => {
                if count(class) > MAX_OF_CLASS {
                    return None;
                }
                let ranges = class.ranges().iter();
                let all = ranges.flat_map(|range| range.start()..=range.end());
                let all = all.filter(|c| !self.fold || fold(*c) == *c);
                Some(all.map(|c| vec![Piece::Text(c.to_string())]).collect())
            }
            Node::Look(Look::Start) => one(Piece::Start),
            Node::Look(Look::End) => one(Piece::End),
            Node::Look(_) => None,
            Node::Repeat(repeat) => self.repeat(repeat),
            Node::Capture { node, .. } => self.of(node),
            Node::Concat(nodes) => {
                let one = vec![Vec::new()];
                nodes.iter().try_fold(one, |before, node| {
                    let next = self.of(node)?;
                    self.combine(before, &next)
                })
            }
            Node::Alternate(nodes) => {
                let mut all = Vec::new();
                for node in nodes {
                    all.append(&mut self.of(node)?);
                }
                Some(all)
            }
        }
    }

    fn take(&mut self, piece: &Piece) -> Option<()> {
        let text = match piece {
            Piece::Text(text) => text.len(),
            _ => 0,
        };
        self.left = self.left.checked_sub(text + VALUE_BYTES)?;
        Some(())
    }

    fn text(&self, text: &str) -> Piece {
        Piece::Text(match self.fold {
            true => text.chars().map(fold).collect(),
            false => text.to_owned(),
        })
    }

    fn repeat(&mut self, repeat: &Repeat) -> Option<Values> {
        let Repeat { min, max, node, .. } = repeat;
        if let (Node::Class(class), None) = (&**node, max)
            && is_any(class)
        {
            return one(Piece::Gap(*min as usize));
        }
        let max = max.filter(|max| *max <= MAX_COPIES)?;
        let one = self.of(node)?;
        let mut copies = vec![Vec::new()];
        let mut all = Vec::new();
        for count in 0..=max {
            if count > 0 {
                copies = self.combine(copies, &one)?;
            }
            if count >= *min {
                all.extend(copies.iter().cloned());
            }
        }
        Some(all)
    }

    /// Concatenates each value of `before` with each of `next`.
    fn combine(&mut self, mut before: Values, next: &Values) -> Option<Values> {
        if let [next] = &next[..] {
            for value in &mut before {
                for piece in next {
                    self.take(piece)?;
                    value.push(piece.clone());
                }
            }
            return Some(before);
        }
        if before.len() > 1 && before.len() * next.len() > MAX_COMBINED {
            return None;
        }
        let mut all = Vec::with_capacity(before.len() * next.len());
        for first in &before {
            for second in next {
                first.iter().try_for_each(|piece| self.take(piece))?;
                all.push(first.iter().chain(second).cloned().collect());
            }
        }
        Some(all)
    }
}
