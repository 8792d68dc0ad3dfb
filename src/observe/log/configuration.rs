//! Which messages go where: the parsed `-Xlog` options.

use super::decorations::{Decorations, Decorators};
use super::output::{Output, FILE_PREFIX};
use super::selection::{Selection, SelectionList};
use super::tags::{tag_set, TAG_SETS};
use super::{Console, Level};

const LOGGING: usize = tag_set(&["logging"]);

/// The outputs and what each of them wants. The first is stdout, the second stderr.
pub struct Configuration {
    outputs: Vec<Output>,
}

impl Default for Configuration {
    fn default() -> Configuration {
        Configuration::new()
    }
}

impl Configuration {
    /// HotSpot's default: warnings and errors to stdout.
    pub fn new() -> Configuration {
        Configuration { outputs: vec![Output::stdout(), Output::stderr()] }
    }

    /// The least important level that some output wants of tag set number `set`.
    pub fn lowest_level(&self, set: usize) -> Option<Level> {
        self.outputs.iter().map(|output| output.levels[set]).filter(|l| *l != Level::Off).min()
    }

    /// Writes a message to every output that wants it.
    pub fn write(&mut self, set: usize, level: Level, message: &str, console: &mut dyn Console) {
        let decorations = Decorations::new(set, level);
        for output in &mut self.outputs {
            let wanted = output.levels[set];
            if wanted != Level::Off && wanted <= level {
                output.write(&decorations, message, console);
            }
        }
    }

    /// Switches everything off, warnings and errors included: `-Xlog:disable`.
    pub fn disable(&mut self) {
        self.outputs.truncate(2);
        for output in &mut self.outputs {
            output.levels = [Level::Off; TAG_SETS.len()];
        }
    }

    /// Starts a new file for each rotated file output: `VM.log rotate`.
    pub fn rotate_all(&mut self) -> std::io::Result<()> {
        self.outputs.iter_mut().try_for_each(Output::rotate)
    }

    /// Sets what stdout gets of the tag sets with exactly `tags`, or with at least them; for
    /// options that are short for logging ones, such as `-verbose:class`.
    pub fn set_stdout(&mut self, level: Level, exact: bool, tags: &[&'static str]) {
        let selection = Selection::new(tags.to_vec(), !exact, level);
        let decorators = self.outputs[0].decorators;
        self.configure(0, &SelectionList::one(selection), decorators);
    }

    /// Whether stdout gets messages of level `Info` of every tag set with exactly `tags`, or with at least them: what
    /// [`Self::set_stdout`] with `Info` has done.
    pub fn stdout_informs(&self, exact: bool, tags: &[&'static str]) -> bool {
        let meant = |set: &[&str]| (!exact || set.len() == tags.len()) && tags.iter().all(|t| set.contains(t));
        let level = |i: usize| self.outputs[0].levels[i];
        TAG_SETS.iter().enumerate().filter(|(_, set)| meant(set)).all(|(i, _)| level(i) != Level::Off && level(i) <= Level::Info)
    }

    fn configure(&mut self, index: usize, selections: &SelectionList, decorators: Decorators) {
        let output = &mut self.outputs[index];
        output.decorators = decorators;
        for (set, level) in output.levels.iter_mut().enumerate() {
            if let Some(selected) = selections.level_for(set) {
                *level = selected;
            }
        }
        if index > 1 && output.levels.iter().all(|level| *level == Level::Off) {
            self.outputs.remove(index);
        }
    }

    /// Parses what follows `-Xlog:` (empty for plain `-Xlog`), applies it, and logs what is wrong
    /// with it under the tag `logging`. False if the option is refused.
    pub fn parse_option(&mut self, text: &str, console: &mut dyn Console) -> bool {
        let (parts, excess) = match split(text) {
            Ok(split) => split,
            Err(rest) => {
                let line = format!("Missing terminating quote in -Xlog option '{rest}'");
                self.write(LOGGING, Level::Error, &line, console);
                return false;
            }
        };
        if let Some(excess) = excess {
            let line = format!("Ignoring excess -Xlog options: \"{excess}\"");
            self.write(LOGGING, Level::Warning, &line, console);
        }
        let (level, lines) = match self.apply(parts[1], parts[0], parts[2], parts[3]) {
            Ok(warnings) => (Level::Warning, warnings),
            Err(errors) => (Level::Error, errors),
        };
        for line in lines {
            self.write(LOGGING, level, &line, console);
        }
        level == Level::Warning
    }

    /// Applies one configuration; each part may be empty. Gives warnings, or the errors for which
    /// it was refused, as HotSpot's lines.
    pub fn apply(
        &mut self,
        output: &str,
        selections: &str,
        decorators: &str,
        options: &str,
    ) -> Result<Vec<String>, Vec<String>> {
        let output = if output.is_empty() { "stdout" } else { output };
        let selections = SelectionList::parse(selections).map_err(|line| vec![line])?;
        let decorators = Decorators::parse(decorators).map_err(|line| vec![line])?;
        let mut warnings = Vec::new();
        let (index, added) = self.find_or_add(output, options)?;
        if !added && !options.is_empty() {
            warnings.push("Output options for existing outputs are ignored.".to_string());
        }
        self.configure(index, &selections, decorators);
        warnings.extend(selections.unmatched());
        Ok(warnings)
    }

    fn find_or_add(&mut self, output: &str, options: &str) -> Result<(usize, bool), Vec<String>> {
        if let Some(number) = output.strip_prefix('#') {
            let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
            return match digits.parse::<usize>() {
                Ok(index) if index < self.outputs.len() => Ok((index, false)),
                _ => Err(vec![format!("Invalid output index '{output}'")]),
            };
        }
        let name = normalize(output).map_err(|line| vec![line])?;
        if let Some(index) = self.outputs.iter().position(|o| o.name == name) {
            return Ok((index, false));
        }
        if !name.starts_with(FILE_PREFIX) {
            return Err(vec![format!("Unsupported log output type: {name}")]);
        }
        self.outputs.push(Output::file(&name, options)?);
        Ok((self.outputs.len() - 1, true))
    }

    /// The outputs with their levels and decorators, one a line, as `VM.log list` shows them.
    pub fn describe(&self) -> String {
        let mut text = String::from("Log output configuration:\n");
        for (n, output) in self.outputs.iter().enumerate() {
            let name = &output.name;
            text += &format!(" #{n}: {name} {} ", describe_levels(output));
            text += &output.decorators.describe();
            text.push('\n');
        }
        text
    }
}

/// `all=` and the commonest level, then the tag sets that deviate.
fn describe_levels(output: &Output) -> String {
    let count = |level: Level| output.levels.iter().filter(|l| **l == level).count();
    let mut commonest = Level::Off;
    for level in Level::ALL {
        if count(level) > count(commonest) {
            commonest = level;
        }
    }
    let mut parts = vec![format!("all={}", commonest.name())];
    for (set, level) in output.levels.iter().enumerate() {
        if *level != commonest {
            parts.push(format!("{}={}", TAG_SETS[set].join("+"), level.name()));
        }
    }
    parts.join(",")
}

/// Splits an option at colons outside quotes into four parts and what is beyond them. The error
/// is the text from the part on in which a quote is not closed.
fn split(text: &str) -> Result<([&str; 4], Option<&str>), &str> {
    let mut parts = [""; 4];
    let mut rest = Some(text);
    for part in &mut parts {
        let Some(start) = rest else { break };
        let mut end = None;
        let mut quoted = false;
        for (at, byte) in start.bytes().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b':' if !quoted => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        if quoted {
            return Err(start);
        }
        *part = &start[..end.unwrap_or(start.len())];
        rest = end.map(|at| &start[at + 1..]);
    }
    Ok((parts, rest))
}

/// Brings an output's name to the form `type=name`, without quotes.
fn normalize(full: &str) -> Result<String, String> {
    let quote = full.find('"');
    let equals = full.find('=').filter(|at| quote.is_none_or(|quote| *at < quote));
    let (prefix, name) = match equals {
        Some(at) => full.split_at(at + 1),
        None if full == "stdout" || full == "stderr" => ("", full),
        None => (FILE_PREFIX, full),
    };
    let Some(quote) = quote else { return Ok(format!("{prefix}{name}")) };
    let Some(length) = full[quote + 1..].find('"') else {
        return Err("Output name has opening quote but is missing a terminating quote.".to_string());
    };
    let starts_name = quote + name.len() == full.len();
    let ends_name = quote + 1 + length + 1 == full.len();
    if !starts_name || !ends_name {
        return Err("Output name can not be partially quoted. Either surround the whole name with \
                    quotation marks, or do not use quotation marks at all."
            .to_string());
    }
    Ok(format!("{prefix}{}", &name[1..name.len() - 1]))
}
