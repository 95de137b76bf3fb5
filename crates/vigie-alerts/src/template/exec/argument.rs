//! The arguments of functions and methods, and their types.

use super::super::ast::{Operand, OperandKind};
use super::super::function::Parameter;
use super::collection::ListKind;
use super::failure::{Failed, Place};
use super::run::Run;
use super::value::Value;

impl<'a> Run<'a> {
    /// An argument of the type that its parameter has.
    pub(super) fn argument(
        &mut self,
        parameter: Parameter,
        operand: &'a Operand,
        dot: &Value,
    ) -> Result<Value, Failed<'a>> {
        self.at = Place::at_operand(operand);
        match (&operand.kind, parameter) {
            (OperandKind::Nil, Parameter::Any) => Ok(Value::Nil),
            (
                OperandKind::Nil,
                Parameter::Text | Parameter::Int | Parameter::Time | Parameter::Duration,
            ) => Err(self.fail(format!("cannot assign nil to {}", parameter.kind()))),
            (OperandKind::Nil, _) => Ok(Value::Nil),
            (OperandKind::Text(_), Parameter::Text) => self.operand(operand, dot),
            (
                OperandKind::Number(_) | OperandKind::Character(_) | OperandKind::Bool(_),
                Parameter::Text,
            ) => Err(self.expected("string", operand)),
            (
                OperandKind::Number(_)
                | OperandKind::Character(_)
                | OperandKind::Bool(_)
                | OperandKind::Text(_),
                Parameter::Sample
                | Parameter::Samples
                | Parameter::Texts
                | Parameter::List
                | Parameter::Time,
            ) => {
                let (text, kind) = (self.text(&operand.span), parameter.kind());
                Err(self.fail(format!("can't handle {text} for arg of type {kind}")))
            }
            (
                OperandKind::Number(_) | OperandKind::Character(_),
                Parameter::Int | Parameter::Duration,
            ) => match self.operand(operand, dot)? {
                Value::Int(number) if parameter == Parameter::Duration => Ok(Value::Span(number)),
                Value::Int(number) => Ok(Value::Int(number)),
                _ => Err(self.expected("integer", operand)),
            },
            (OperandKind::Bool(_) | OperandKind::Text(_), Parameter::Int | Parameter::Duration) => {
                Err(self.expected("integer", operand))
            }
            _ => {
                let value = self.operand(operand, dot)?;
                self.typed(parameter, value)
            }
        }
    }

    fn expected(&self, kind: &str, operand: &Operand) -> Failed<'a> {
        let found = self.text(&operand.span);
        self.fail(format!("expected {kind}; found {found}"))
    }

    pub(super) fn typed(&self, parameter: Parameter, value: Value) -> Result<Value, Failed<'a>> {
        match (parameter, &value) {
            (Parameter::Any, _)
            | (Parameter::Text, Value::Text(_))
            | (Parameter::Sample, Value::Sample(_))
            | (Parameter::Int, Value::Int(_))
            | (Parameter::Time, Value::Moment(_) | Value::Time(_))
            | (Parameter::Duration, Value::Span(_) | Value::Duration(_)) => Ok(value),
            (Parameter::Samples, Value::List(list)) if list.kind() == ListKind::Samples => {
                Ok(value)
            }
            (Parameter::Texts, Value::List(list)) if list.kind() == ListKind::Texts => Ok(value),
            (Parameter::List, Value::List(list)) if list.kind() == ListKind::Any => Ok(value),
            (
                Parameter::Sample | Parameter::Samples | Parameter::Texts | Parameter::List,
                Value::Nil,
            ) => Ok(value),
            (_, Value::Nil) => {
                let kind = parameter.kind();
                Err(self.fail(format!("invalid value; expected {kind}")))
            }
            _ => {
                let (expected, kind) = (parameter.kind(), value.kind());
                Err(self.fail(format!(
                    "wrong type for value; expected {expected}; got {kind}"
                )))
            }
        }
    }
}
