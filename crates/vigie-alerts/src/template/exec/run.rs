//! The run of a template, and its output. The source of the rules is `text/template/exec.go`.

use super::super::ast::{OperandKind, Pipeline, Template};
use super::super::function::Function;
use super::super::library::Library;
use super::alertmanager::Clock;
use super::budget::{Budget, Limits};
use super::failure::{ExecutionError, Failed, Failure, Place, Source};
use super::html::Html;
use super::regexp::Regexps;
use super::value::Value;
use super::{Environment, printf};

/// Runs `template`, parsed from `text`, over `data`.
///
/// The variables `$labels`, `$externalLabels`, `$externalURL` and `$value` are the fields of `data` of these names.
/// `name` is that of the template in errors.
///
/// # Errors
/// The first failure, at which Go stops too, and an exceeded limit.
pub fn execute(
    name: &str,
    template: &Template,
    text: &str,
    data: &Value,
    environment: &dyn Environment,
    limits: Limits,
) -> Result<String, ExecutionError> {
    let mut variables = vec![("$", data.clone())];
    for (variable, field) in GIVEN {
        if let Ok(value) = data.field(field) {
            variables.push((variable, value));
        }
    }
    let source = Source {
        name,
        text,
        inserted: DECLARATIONS.len(),
    };
    let functions = Functions::Prometheus(environment);
    Run::new(template, source, None, functions, limits).finish(variables, data, false)
}

/// Runs a template of Alertmanager, parsed from `text`, over `data`. It can call those of the library. In HTML, values
/// are escaped as their context needs it, like in Go's `html/template`.
///
/// # Errors
/// The first failure, at which Go stops too, and an exceeded limit.
pub(in super::super) fn execute_in(
    library: &Library,
    (template, text): (&Template, &str),
    (data, clock): (&Value, &Clock),
    is_html: bool,
    limits: Limits,
) -> Result<String, ExecutionError> {
    let source = Source {
        name: "",
        text,
        inserted: 0,
    };
    let functions = Functions::Alertmanager(clock);
    let variables = vec![("$", data.clone())];
    Run::new(template, source, Some(library), functions, limits).finish(variables, data, is_html)
}

/// The variables that Prometheus declares, and the fields that they hold.
const GIVEN: [(&str, &str); 4] = [
    ("$labels", "Labels"),
    ("$externalLabels", "ExternalLabels"),
    ("$externalURL", "ExternalURL"),
    ("$value", "Value"),
];

/// The declarations that Prometheus inserts before a template. In errors, the columns of the first line include them.
const DECLARATIONS: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// The functions of a dialect.
#[derive(Clone, Copy)]
pub(super) enum Functions<'a> {
    Prometheus(&'a dyn Environment),
    Alertmanager(&'a Clock),
}

pub(super) struct Run<'a> {
    pub(super) template: &'a Template,
    pub(super) main: Source<'a>,
    pub(super) library: Option<&'a Library>,
    pub(super) functions: Functions<'a>,
    pub(super) budget: Budget,
    pub(super) regexps: Regexps,
    out: String,
    /// The context of the output, if it is HTML.
    html: Option<Html>,
    pub(super) depth: usize,
    /// The template that is running.
    pub(super) running: &'a str,
    /// The text that it is in.
    pub(super) source: Source<'a>,
    pub(super) at: Place,
    /// Innermost last.
    pub(super) variables: Vec<(&'a str, Value)>,
}

impl<'a> Run<'a> {
    fn new(
        template: &'a Template,
        main: Source<'a>,
        library: Option<&'a Library>,
        functions: Functions<'a>,
        limits: Limits,
    ) -> Self {
        Self {
            template,
            main,
            library,
            functions,
            budget: Budget::new(limits),
            regexps: Regexps::default(),
            out: String::new(),
            html: None,
            depth: 0,
            running: main.name,
            source: main,
            at: Place::default(),
            variables: Vec::new(),
        }
    }

    fn finish(
        mut self,
        variables: Vec<(&'a str, Value)>,
        data: &Value,
        is_html: bool,
    ) -> Result<String, ExecutionError> {
        self.variables = variables;
        self.html = is_html.then(Html::default);
        let template = self.template;
        let run = self.nodes(&template.nodes, data).and_then(|_| {
            let end = self.html.as_ref().map_or(Ok(()), Html::end);
            end.map_err(|message| self.fail(message))
        });
        match run {
            Ok(()) => Ok(self.out),
            Err(failure) => Err(failure.explain()),
        }
    }

    pub(super) fn fail(&self, message: impl Into<String>) -> Failed<'a> {
        Box::new(Failure {
            source: self.source,
            running: self.running,
            place: self.at.clone(),
            message: message.into(),
        })
    }

    pub(super) fn step(&mut self) -> Result<(), Failed<'a>> {
        let taken = self.budget.steps(1);
        taken.map_err(|message| self.fail(message))
    }

    fn write(&mut self, text: &str) -> Result<(), Failed<'a>> {
        let fits = self.budget.length(self.out.len() + text.len());
        fits.map_err(|message| self.fail(message))?;
        self.out.push_str(text);
        Ok(())
    }

    /// Writes literal text.
    pub(super) fn literal(&mut self, text: &str) -> Result<(), Failed<'a>> {
        match &mut self.html {
            None => self.write(text),
            Some(html) => {
                let text = html.literal(text);
                let text = text.map_err(|message| self.fail(message))?;
                self.write(&text)
            }
        }
    }

    /// Writes the result of an action. In HTML, `html` or `urlquery` at the end of the pipeline stands for an escape.
    pub(super) fn action(&mut self, pipeline: &'a Pipeline, dot: &Value) -> Result<(), Failed<'a>> {
        if !pipeline.variables.is_empty() {
            self.pipeline(pipeline, dot)?;
            return Ok(());
        }
        let last = match self.html {
            Some(_) => self.escaping(pipeline)?,
            None => None,
        };
        let value = match last {
            Some(_) => self.without_last(pipeline, dot)?,
            None => self.pipeline(pipeline, dot)?,
        };
        self.value(&value, last)
    }

    fn value(&mut self, value: &Value, last: Option<Function>) -> Result<(), Failed<'a>> {
        let most = self.budget.limits.bytes;
        let text = match (&mut self.html, value) {
            (Some(html), value) => html.value(value, last, most),
            (None, Value::Nil) => Ok("<no value>".to_owned()),
            (None, Value::Text(text)) => Ok(text.to_string()),
            (None, value) => printf::plain(value, most).map_err(Into::into),
        };
        let text = text.map_err(|message| self.fail(message))?;
        self.write(&text)
    }

    /// The function at the end of a pipeline, if it escapes. It must not be elsewhere.
    fn escaping(&self, pipeline: &Pipeline) -> Result<Option<Function>, Failed<'a>> {
        let mut found = None;
        for command in &pipeline.commands {
            if let Some(function) = found {
                let name = Function::name(function);
                let message = format!("predefined escaper {name:?} disallowed in template");
                return Err(self.fail(message));
            }
            found = match command.operands.first().map(|first| &first.kind) {
                Some(OperandKind::Function(function @ (Function::Html | Function::Urlquery))) => {
                    Some(*function)
                }
                _ => None,
            };
        }
        Ok(found)
    }
}
