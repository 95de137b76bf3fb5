//! Operands, with their fields and methods.

use super::super::ast::{Name, Operand, OperandKind};
use super::super::function::Parameter;
use super::failure::{Failed, Place};
use super::run::Run;
use super::value::Value;
use super::{constant, method};

/// The arguments of a command.
pub(super) struct Given<'a, 'd> {
    pub(super) arguments: &'a [Operand],
    pub(super) piped: Option<Value>,
    pub(super) dot: &'d Value,
}

impl Given<'_, '_> {
    pub(super) fn len(&self) -> usize {
        self.arguments.len() + usize::from(self.piped.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> Run<'a> {
    pub(super) fn operand(
        &mut self,
        operand: &'a Operand,
        dot: &Value,
    ) -> Result<Value, Failed<'a>> {
        let given = Given {
            arguments: &[],
            piped: None,
            dot,
        };
        self.operand_with(operand, dot, given)
    }

    /// An operand, whose last field is called as a method with the given arguments.
    pub(super) fn operand_with(
        &mut self,
        operand: &'a Operand,
        dot: &Value,
        given: Given<'a, '_>,
    ) -> Result<Value, Failed<'a>> {
        if !matches!(operand.kind, OperandKind::Paren(_)) {
            self.at = Place::at_operand(operand);
        }
        let mut value = match &operand.kind {
            OperandKind::Dot => dot.clone(),
            OperandKind::Nil => Value::Nil,
            OperandKind::Bool(truth) => Value::Bool(*truth),
            OperandKind::Number(text) => {
                constant::number(text).map_err(|message| self.fail(message))?
            }
            OperandKind::Character(c) => Value::Int(i64::from(u32::from(*c))),
            OperandKind::Text(text) => Value::text(text.as_str()),
            OperandKind::Variable(name) => {
                let mut variables = self.variables.iter().rev();
                let found = variables.find(|(known, _)| *known == name);
                found.map_or(Value::Nil, |(_, value)| value.clone())
            }
            OperandKind::Function(function) => {
                self.function(*function, &operand.span, &[], None, dot)?
            }
            OperandKind::Paren(pipeline) => self.pipeline(pipeline, dot)?,
        };
        let Some((last, path)) = operand.fields.split_last() else {
            return Ok(value);
        };
        for field in path {
            let none = Given {
                arguments: &[],
                piped: None,
                dot,
            };
            value = self.field(operand, value, field, none)?;
        }
        self.field(operand, value, last, given)
    }

    /// A method of `value`, or its field or key.
    fn field(
        &mut self,
        operand: &'a Operand,
        value: Value,
        field: &'a Name,
        given: Given<'a, '_>,
    ) -> Result<Value, Failed<'a>> {
        let name = field.text.as_str();
        if let Some(parameters) = method::parameters(&value, name) {
            return self.method(operand, &value, (name, parameters), given);
        }
        let found = value.field(name).and_then(|found| {
            let fault = match &value {
                _ if given.is_empty() => return Ok(found),
                Value::Data(_) | Value::Sample(_) => {
                    "has arguments but cannot be invoked as function"
                }
                _ => "is not a method but has arguments",
            };
            Err(format!("{name} {fault}"))
        });
        found.map_err(|message| {
            self.at = Place::at_operand(operand);
            self.fail(message)
        })
    }

    fn method(
        &mut self,
        operand: &'a Operand,
        value: &Value,
        (name, parameters): (&str, &'static [Parameter]),
        given: Given<'a, '_>,
    ) -> Result<Value, Failed<'a>> {
        let (want, got) = (parameters.len(), given.len());
        if want != got {
            self.at = Place::at_operand(operand);
            let message = format!("wrong number of args for {name}: want {want} got {got}");
            return Err(self.fail(message));
        }
        let mut values = Vec::with_capacity(got);
        for (parameter, argument) in parameters.iter().zip(given.arguments) {
            values.push(self.argument(*parameter, argument, given.dot)?);
        }
        if let (Some(piped), Some(parameter)) = (given.piped, parameters.last()) {
            values.push(self.typed(*parameter, piped)?);
        }
        let called = method::call(value, name, &values);
        let value = called.map_err(|error| {
            self.at = Place::at_operand(operand);
            self.fail(format!("error calling {name}: {error}"))
        })?;
        self.charge(&value)?;
        Ok(value)
    }
}
