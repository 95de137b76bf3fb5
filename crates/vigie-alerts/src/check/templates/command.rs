//! Commands: calls of functions.

use super::super::{check_expr, labels, moved};
use super::{Checker, Shape, item};
use crate::finding::{Finding, Span};
use crate::lint::Lint;
use crate::template::{Command, Function, Operand, OperandKind};

impl Checker<'_> {
    pub(super) fn command(
        &mut self,
        command: &Command,
        piped: Option<&Shape>,
        dot: &Shape,
    ) -> Shape {
        let mut shapes = Vec::new();
        for operand in &command.operands {
            shapes.push(self.operand(operand, dot));
        }
        let given = command.operands.len() - 1 + usize::from(piped.is_some());
        let OperandKind::Function(function) = command.operands[0].kind else {
            if command.operands.len() > 1 && command.operands[0].fields.is_empty() {
                let span = command.operands[0].span.clone();
                let title = "a value with arguments";
                let label = "only functions take arguments";
                self.findings
                    .push(Finding::new(Lint::TemplateValue, span, title, label));
            }
            return shapes.swap_remove(0);
        };
        self.arity(function, &command.operands[0], given);
        // A piped value is the last argument.
        let last = || piped.or(shapes.last().filter(|_| command.operands.len() > 1));
        match function {
            Function::Query => match &command.operands[..] {
                [_, operand] => self.query(operand),
                _ => Shape::Unknown,
            },
            Function::First => last().cloned().map_or(Shape::Unknown, item),
            Function::Index => {
                if let (Some(Shape::Labels(labels)), Some(name)) =
                    (shapes.get(1), text_operand(command, 2))
                {
                    self.label(labels, name.0, name.1);
                }
                Shape::Unknown
            }
            Function::Label => {
                if let (Some(Shape::Sample(labels)), Some(name)) =
                    (last(), text_operand(command, 1))
                {
                    self.label(labels, name.0, name.1);
                }
                Shape::Unknown
            }
            Function::SortByLabel => last().cloned().unwrap_or(Shape::Unknown),
            _ => Shape::Unknown,
        }
    }

    fn arity(&mut self, function: Function, operand: &Operand, given: usize) {
        let name = function.name();
        let span = operand.span.clone();
        if function.is_newer() {
            let title = format!("`{name}` needs a newer Prometheus");
            let label = "Prometheus 2.42 refuses the whole file for it";
            self.findings.push(Finding::new(
                Lint::NewerPrometheus,
                span.clone(),
                title,
                label,
            ));
        }
        let (fewest, most) = function.arity();
        if (fewest..=most).contains(&given) {
            return;
        }
        let wanted = match (fewest, most) {
            (fewest, most) if fewest == most => fewest.to_string(),
            (fewest, usize::MAX) => format!("at least {fewest}"),
            (fewest, most) => format!("{fewest} to {most}"),
        };
        let title = format!("`{name}` with {given} arguments");
        let label = format!("takes {wanted}");
        self.findings
            .push(Finding::new(Lint::TemplateValue, span, title, label));
    }

    /// `query "…"`: an expression like the rule's.
    fn query(&mut self, operand: &Operand) -> Shape {
        let OperandKind::Text(query) = &operand.kind else {
            return Shape::Unknown;
        };
        let whole = operand.span.clone();
        // Without escapes, offsets in the query are offsets in the text; with escapes, only the whole text can be
        // shown.
        let plain = self.text.get(whole.start + 1..whole.end.saturating_sub(1)) == Some(query);
        let locate = |span: Span| match plain {
            true => whole.start + 1 + span.start..whole.start + 1 + span.end,
            false => whole.clone(),
        };
        match vigie_promql::parse_with(query, self.known.features) {
            Ok(tree) => {
                for finding in check_expr(&tree, query, self.known) {
                    self.findings.push(moved(finding, locate));
                }
                Shape::Samples(labels::of(&tree, self.known))
            }
            Err(error) => {
                let finding = Finding::not_promql(&error, locate(error.span.range()));
                self.findings.push(finding);
                Shape::Unknown
            }
        }
    }
}

/// The text of an argument, with its position.
fn text_operand(command: &Command, at: usize) -> Option<(&str, Span)> {
    let operand = command.operands.get(at)?;
    match &operand.kind {
        OperandKind::Text(text) => Some((text, operand.span.clone())),
        _ => None,
    }
}
