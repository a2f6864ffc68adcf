//! The only place that prints. Standard output has the result and nothing else, as words or as one JSON object.

use std::process::ExitCode;

use patchbay_model::Problem;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::failure::Failure;

/// Exit status of wrong usage (`EX_USAGE` of sysexits).
const USAGE: u8 = 64;

/// Where a command's result goes.
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether this format was asked for.
    pub(crate) fn is(&self, format: Format) -> bool {
        self.format == format
    }

    /// The result, in words or as the JSON object; each command calls it once, at its end.
    pub(crate) fn result(&self, words: &str, value: &Value) {
        match self.format {
            Format::Words => line(words.trim_end()),
            Format::Json => line(&value.to_string()),
        }
    }

    /// A text that is the result itself, such as an exported file: as it is, or as one member of a JSON object.
    pub(crate) fn text(&self, name: &str, text: &str) {
        match self.format {
            Format::Words => print(text),
            Format::Json => line(&json!({ name: text }).to_string()),
        }
    }

    /// A line of JSON on standard output while the work goes on, for programs that asked for JSON.
    pub(crate) fn line_for_programs(&self, value: &Value) {
        if self.format == Format::Json {
            line(&value.to_string());
        }
    }

    /// What is going on, for whoever watches.
    pub(crate) fn progress(&self, words: &str) {
        notice(words);
    }

    /// Prints why it failed and gives the exit status. In JSON the problem is the one object on standard output.
    pub(crate) fn failure(&self, failure: &Failure) -> ExitCode {
        match failure {
            Failure::Usage(sentence) => {
                notice(&format!("patchbay: {sentence}"));
                ExitCode::from(USAGE)
            }
            Failure::Problem(problem) => {
                notice(&format!("patchbay: {}", problem.message));
                for more in [&problem.detail, &problem.remediation].into_iter().flatten() {
                    notice(&format!("  {more}"));
                }
                if self.format == Format::Json {
                    line(&json!({ "problem": as_json(problem) }).to_string());
                }
                ExitCode::FAILURE
            }
            Failure::Wire(problem) => {
                for (name, indent) in [("message", "patchbay: "), ("detail", "  "), ("remediation", "  ")] {
                    let text = crate::table::field(problem, name);
                    if !text.is_empty() {
                        notice(&format!("{indent}{text}"));
                    }
                }
                if self.format == Format::Json {
                    line(&json!({ "problem": problem }).to_string());
                }
                ExitCode::FAILURE
            }
            Failure::Found => ExitCode::FAILURE,
        }
    }
}

/// What clap has to say: help and version on standard output, wrong usage on standard error.
pub(crate) fn usage(error: &clap::Error, asked_for: bool) -> ExitCode {
    // Nothing can be done about a terminal that is gone.
    let _ = error.print();
    if asked_for { ExitCode::SUCCESS } else { ExitCode::from(USAGE) }
}

fn as_json(problem: &Problem) -> Value {
    let mut value = json!({ "code": problem.code.as_str(), "title": problem.code.title(), "message": problem.message });
    for (name, text) in [("detail", &problem.detail), ("remediation", &problem.remediation)] {
        if let (Some(text), Some(object)) = (text, value.as_object_mut()) {
            object.insert(name.to_owned(), Value::String(text.clone()));
        }
    }
    if let (Ok(context), Some(object)) = (serde_json::to_value(&problem.context), value.as_object_mut())
        && context.as_object().is_some_and(|context| !context.is_empty())
    {
        object.insert("context".to_owned(), context);
    }
    value
}

fn line(text: &str) {
    print(&format!("{text}\n"));
}

/// A reader that has gone away (`patchbay export | head`) is no failure of ours, so errors of writing are let go.
fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn notice(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
