//! The parser, which does not recurse. It accepts the syntax of Go's `regexp/syntax` with its Perl flags.

use std::thread::Builder;

use regex_syntax::hir::{ClassUnicode, Look};

use super::{
    class,
    cursor::Cursor,
    error::{Error, Fault, MAX_COPIES},
    escape::{self, Classes},
    group::{Flags, Group, checked},
    node::{Measured, Node, Repeat},
    repeat::{Counts, counts},
};

/// A parsed expression.
pub(super) struct Parsed {
    tree: Measured,
    /// The names of its groups, starting with the whole match; `""` for an unnamed group.
    pub(super) names: Vec<String>,
    /// The first part that Prometheus 2.42 refuses.
    pub(super) newer: Option<&'static str>,
}

impl Parsed {
    /// Deeper trees are visited on a separate thread with a larger stack.
    const DEEP: u32 = 50;
    /// Compiling one level of a tree takes less than a third of this in a debug build.
    const LEVEL_BYTES: usize = 32 << 10;

    /// Runs a recursive visit of the tree on a stack of sufficient size.
    pub(super) fn visit<T: Send>(
        &self,
        work: impl FnOnce(&Node) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        if self.tree.height <= Self::DEEP {
            return work(&self.tree.node);
        }
        let stack = Self::LEVEL_BYTES * self.tree.height as usize;
        std::thread::scope(|scope| {
            let thread = Builder::new().stack_size(stack);
            let thread = thread.spawn_scoped(scope, || work(&self.tree.node));
            let result = thread.ok().and_then(|thread| thread.join().ok());
            result.unwrap_or_else(|| Err(Fault::TooDeep.of_all()))
        })
    }
}

/// Parses an expression. The tree contains capturing groups only with `captures`.
pub(super) fn parse(text: &str, flags: Flags, captures: bool) -> Result<Parsed, Error> {
    let mut parser = Parser {
        cursor: Cursor { text, at: 0 },
        flags,
        captures,
        names: vec![String::new()],
        groups: vec![Group::new(0, flags, None)],
        classes: Classes::default(),
        newer: None,
    };
    // The start of the repetition that ends here.
    let mut repetition = None;
    while let Some(c) = parser.cursor.peek() {
        let start = parser.cursor.at;
        repetition = match counts(&mut parser.cursor)? {
            Some(counts) => {
                parser.repeat(counts, start, repetition)?;
                Some(repetition.unwrap_or(start))
            }
            None => {
                parser.item(c)?;
                None
            }
        };
    }
    let whole = parser.groups.pop();
    match (whole, parser.groups.pop()) {
        (Some(whole), None) => Ok(Parsed {
            tree: checked(whole.end())?,
            names: parser.names,
            newer: match parser.classes.newer {
                true => Some(r"a newer class of Unicode"),
                false => parser.newer,
            },
        }),
        (Some(open), _) => Err(parser
            .cursor
            .fault_of_rest(Fault::UnclosedGroup, open.start)),
        (None, _) => Err(Fault::UnopenedGroup.of_all()),
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    flags: Flags,
    captures: bool,
    names: Vec<String>,
    /// The open groups; the first is the whole expression.
    groups: Vec<Group>,
    classes: Classes,
    /// See [`Parsed::newer`].
    newer: Option<&'static str>,
}

impl Parser<'_> {
    /// The innermost open group. The list is never empty: only the end of the text closes the whole expression.
    fn group(&mut self) -> Result<&mut Group, Error> {
        self.groups.last_mut().ok_or(Fault::UnopenedGroup.of_all())
    }

    fn push(&mut self, node: Node) -> Result<(), Error> {
        self.group()?.push(Measured::leaf(node));
        Ok(())
    }

    fn class(&mut self, class: ClassUnicode) -> Result<(), Error> {
        self.push(Node::Class(class))
    }

    fn literal(&mut self, c: char) -> Result<(), Error> {
        let fold = self.flags.fold;
        self.group()?.literal(c, fold);
        Ok(())
    }

    /// Any item except a repetition.
    fn item(&mut self, c: char) -> Result<(), Error> {
        match c {
            '(' => return self.open(),
            ')' => return self.close(),
            '[' => {
                let class = escape::brackets(&mut self.cursor, self.flags.fold, &mut self.classes)?;
                return self.class(class);
            }
            '\\' => return self.backslash(),
            _ => self.cursor.next(),
        };
        match (c, self.flags) {
            ('|', _) => self.group()?.bar(),
            ('^', Flags { lines: true, .. }) => self.push(Node::Look(Look::StartLF)),
            ('^', _) => self.push(Node::Look(Look::Start)),
            ('$', Flags { lines: true, .. }) => self.push(Node::Look(Look::EndLF)),
            ('$', _) => self.push(Node::Look(Look::End)),
            (
                '.',
                Flags {
                    dot_newline: true, ..
                },
            ) => self.class(class::any()),
            ('.', _) => self.class(class::any_but_newline()),
            (c, _) => self.literal(c),
        }
    }

    fn backslash(&mut self) -> Result<(), Error> {
        let look = match self.cursor.rest().chars().nth(1) {
            Some('A') => Some(Look::Start),
            Some('z') => Some(Look::End),
            Some('b') => Some(Look::WordAscii),
            Some('B') => Some(Look::WordAsciiNegate),
            _ => None,
        };
        if let Some(look) = look {
            self.cursor.at += 2;
            return self.push(Node::Look(look));
        }
        if self.cursor.eat(r"\Q") {
            let rest = self.cursor.rest();
            let quoted = self.cursor.eat_until(r"\E").unwrap_or_else(|| {
                self.cursor.at = self.cursor.text.len();
                // The text is wrapped in a group, so the closing parenthesis is quoted too.
                self.newer = Some(r"`\Q` without `\E`");
                rest
            });
            return quoted.chars().try_for_each(|c| self.literal(c));
        }
        if let Some(class) = escape::named(&mut self.cursor, self.flags.fold, &mut self.classes)? {
            return self.class(class);
        }
        match char::from_u32(escape::character(&mut self.cursor)?) {
            Some(c) => self.literal(c),
            // A surrogate is accepted but never matches.
            None => self.class(ClassUnicode::empty()),
        }
    }

    /// `(`, `(?P<name>`, `(?<name>`, `(?i:` or `(?i)`.
    fn open(&mut self) -> Result<(), Error> {
        let start = self.cursor.at;
        self.cursor.next();
        let bare = self.cursor.rest().starts_with("?<");
        if self.cursor.eat("?P<") || self.cursor.eat("?<") {
            if bare {
                self.newer = Some("`(?<name>…)`");
            }
            let cursor = &mut self.cursor;
            let name = cursor.eat_until(">");
            let name = name.ok_or_else(|| cursor.fault_of_rest(Fault::GroupName, start))?;
            if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
                return Err(cursor.fault(Fault::GroupName, start));
            }
            self.capture(start, name.to_owned());
        } else if self.cursor.eat("?") {
            return self.open_flags(start);
        } else {
            self.capture(start, String::new());
        }
        Ok(())
    }

    fn capture(&mut self, start: usize, name: String) {
        let index = u32::try_from(self.names.len()).ok();
        self.names.push(name);
        self.groups.push(Group::new(start, self.flags, index));
    }

    /// Continues after `(?`.
    fn open_flags(&mut self, start: usize) -> Result<(), Error> {
        let mut flags = self.flags;
        let mut on = true;
        // Whether a flag follows the `-`.
        let mut complete = true;
        while let Some(c) = self.cursor.next() {
            match c {
                'i' => flags.fold = on,
                'm' => flags.lines = on,
                's' => flags.dot_newline = on,
                'U' => flags.lazy = on,
                '-' if on => {
                    on = false;
                    complete = false;
                    continue;
                }
                ':' | ')' if complete => {
                    if c == ':' {
                        self.groups.push(Group::new(start, self.flags, None));
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            complete = true;
        }
        Err(self.cursor.fault(Fault::GroupSyntax, start))
    }

    fn close(&mut self) -> Result<(), Error> {
        let start = self.cursor.at;
        self.cursor.next();
        if self.groups.len() < 2 {
            return Err(self.cursor.fault(Fault::UnopenedGroup, start));
        }
        let Some(group) = self.groups.pop() else {
            return Ok(());
        };
        self.flags = group.flags;
        let index = group.index;
        let mut item = checked(group.end())?;
        if let Some(index) = index {
            item.height += 1;
            if self.captures {
                let node = Box::new(item.node);
                item.node = Node::Capture { index, node };
            }
            item = checked(item)?;
        }
        self.group()?.push(item);
        Ok(())
    }

    /// Repeats the last item. `before` is the start of a repetition that ends at `start`.
    fn repeat(&mut self, counts: Counts, start: usize, before: Option<usize>) -> Result<(), Error> {
        let swapped = self.cursor.eat("?");
        if let Some(before) = before {
            return Err(self.cursor.fault(Fault::StackedRepetition, before));
        }
        let Some(item) = self.group()?.pop() else {
            return Err(self.cursor.fault(Fault::NothingToRepeat, start));
        };
        let Counts { min, max, counted } = counts;
        let copies = match max {
            _ if !counted => item.copies,
            Some(0) => 1,
            max => item.copies.saturating_mul(max.unwrap_or(min).max(1)),
        };
        let repeats = min >= 2 || max.is_some_and(|max| max >= 2);
        if counted && repeats && copies > MAX_COPIES {
            return Err(self.cursor.fault(Fault::RepeatCount, start));
        }
        let greedy = self.flags.lazy == swapped;
        let item = Measured {
            height: item.height + 1,
            copies,
            node: Node::Repeat(Repeat {
                min,
                max,
                greedy,
                node: Box::new(item.node),
            }),
        };
        self.group()?.push(checked(item)?);
        Ok(())
    }
}
