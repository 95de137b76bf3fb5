//! Pipelines, commands and functions. The source of the rules is `text/template/exec.go`.

use std::ops::Range;

use super::super::ast::{Command, Operand, OperandKind, Pipeline};
use super::super::function::{Function, Parameter};
use super::failure::{Failed, Place};
use super::operand::Given;
use super::run::{Functions, Run};
use super::value::Value;
use super::{alertmanager, builtin, printf, prometheus};

impl<'a> Run<'a> {
    fn at(&mut self, span: &Range<usize>) {
        self.at = Place::at(span);
    }

    /// Evaluates a pipeline, and declares or assigns its variable.
    pub(super) fn pipeline(
        &mut self,
        pipeline: &'a Pipeline,
        dot: &Value,
    ) -> Result<Value, Failed<'a>> {
        let value = self.commands(pipeline, dot)?;
        for variable in &pipeline.variables {
            match pipeline.declares {
                true => self.variables.push((&variable.text, value.clone())),
                false => self.assign(&variable.text, value.clone()),
            }
        }
        Ok(value)
    }

    pub(super) fn assign(&mut self, name: &str, value: Value) {
        let mut variables = self.variables.iter_mut().rev();
        if let Some((_, held)) = variables.find(|(known, _)| *known == name) {
            *held = value;
        }
    }

    /// The value of a pipeline without the function at its end, which has no arguments of its own or is alone.
    pub(super) fn without_last(
        &mut self,
        pipeline: &'a Pipeline,
        dot: &Value,
    ) -> Result<Value, Failed<'a>> {
        self.at(&pipeline.span);
        let Some((last, before)) = pipeline.commands.split_last() else {
            return Ok(Value::Nil);
        };
        let mut values = Vec::new();
        for argument in last.operands.iter().skip(1) {
            values.push(self.argument(Parameter::Any, argument, dot)?);
        }
        let mut piped = None;
        for command in before {
            piped = Some(self.command(command, piped, dot)?);
        }
        values.extend(piped);
        match <[Value; 1]>::try_from(values) {
            Ok([only]) => Ok(only),
            Err(several) => {
                let text = printf::sprint(&several, self.budget.limits.bytes);
                text.map(Value::text)
                    .map_err(|error| self.fail(error.to_string()))
            }
        }
    }

    pub(super) fn commands(
        &mut self,
        pipeline: &'a Pipeline,
        dot: &Value,
    ) -> Result<Value, Failed<'a>> {
        self.at(&pipeline.span);
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped, dot)?);
        }
        Ok(piped.unwrap_or(Value::Nil))
    }

    fn command(
        &mut self,
        command: &'a Command,
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, Failed<'a>> {
        self.step()?;
        let Some((first, arguments)) = command.operands.split_first() else {
            return Err(self.fail("empty command"));
        };
        if let (OperandKind::Function(function), true) = (&first.kind, first.fields.is_empty()) {
            self.at(&first.span);
            return self.function(*function, &command.span, arguments, piped, dot);
        }
        let given = Given {
            arguments,
            piped,
            dot,
        };
        if !given.is_empty() && first.fields.is_empty() {
            self.at(&first.span);
            let shown = self.text(&first.span);
            return Err(self.fail(format!("can't give argument to non-function {shown}")));
        }
        if first.kind == OperandKind::Nil {
            self.at(&first.span);
            return Err(self.fail("nil is not a command"));
        }
        self.operand_with(first, dot, given)
    }

    pub(super) fn function(
        &mut self,
        function: Function,
        span: &Range<usize>,
        arguments: &'a [Operand],
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, Failed<'a>> {
        let name = function.name();
        let count = arguments.len() + usize::from(piped.is_some());
        let (fewest, most) = function.arity();
        if count < fewest || count > most {
            let want = match fewest == most {
                true => fewest.to_string(),
                false => format!("at least {fewest}"),
            };
            return Err(self.fail(format!(
                "wrong number of args for {name}: want {want} got {count}"
            )));
        }
        // The result decides which arguments are evaluated at all.
        if matches!(function, Function::And | Function::Or) {
            let stops_at = function == Function::Or;
            let mut value = Value::Nil;
            for argument in arguments {
                value = self.argument(Parameter::Any, argument, dot)?;
                if value.is_true() == stops_at {
                    return Ok(value);
                }
            }
            return Ok(piped.unwrap_or(value));
        }
        let mut values = Vec::with_capacity(count);
        for (at, argument) in arguments.iter().enumerate() {
            values.push(self.argument(function.parameter(at), argument, dot)?);
        }
        if let Some(piped) = piped {
            values.push(self.typed(function.parameter(arguments.len()), piped)?);
        }
        let most = self.budget.limits.bytes;
        let called = builtin::call(function, &values, most)
            .or_else(|| self.regexps.call(function, &values, &mut self.budget));
        let called = called.unwrap_or_else(|| match self.functions {
            Functions::Prometheus(environment) => prometheus::call(function, &values, environment),
            Functions::Alertmanager(clock) => alertmanager::call(function, &values, clock, most),
        });
        let value = called.map_err(|error| {
            self.at(span);
            self.fail(format!("error calling {name}: {error}"))
        })?;
        self.charge(&value)?;
        Ok(value)
    }

    /// Counts the result of a function or method.
    pub(super) fn charge(&mut self, value: &Value) -> Result<(), Failed<'a>> {
        let counted = match value {
            Value::Text(text) | Value::Html(text) | Value::Url(text) => {
                self.budget.string(text.len())
            }
            // Lists and maps are copied.
            Value::List(list) => self.budget.steps(list.items().len() / 16),
            Value::Map(map) => self.budget.steps(map.entries().len() / 4),
            Value::Pairs(map) => self.budget.steps(map.len() / 4),
            _ => Ok(()),
        };
        counted.map_err(|message| self.fail(message))
    }

    pub(super) fn text(&self, span: &Range<usize>) -> &'a str {
        self.source.text.get(span.clone()).unwrap_or_default()
    }
}
