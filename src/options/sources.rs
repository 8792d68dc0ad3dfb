//! Where options come from besides the command line: environment variables, `-XX:VMOptionsFile=`,
//! `-XX:Flags=`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::flags::{Origin, Value};
use super::messages::Outcome;
use super::parser::{Parser, VmOption};

/// A list of options from one source.
pub(super) struct Source {
    /// As HotSpot's messages call it.
    pub(super) container: &'static str,
    pub(super) options: Vec<VmOption>,
    pub(super) origin: Origin,
    /// Whether options that the VM does not know are passed over.
    pub(super) ignore_unrecognized: bool,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Splits at white space outside quotes; quotes of either kind are dropped and may stand inside a
/// word. `Err` if one is not closed.
fn split_words(text: &[u8]) -> Result<Vec<OsString>, ()> {
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        while at < text.len() && is_space(text[at]) {
            at += 1;
        }
        if at >= text.len() {
            return Ok(words);
        }
        let mut word = Vec::new();
        while at < text.len() && !is_space(text[at]) {
            let quote = text[at];
            if quote != b'\'' && quote != b'"' {
                word.push(quote);
                at += 1;
                continue;
            }
            let length = text[at + 1..].iter().position(|b| *b == quote).ok_or(())?;
            word.extend_from_slice(&text[at + 1..at + 1 + length]);
            at += length + 2;
        }
        words.push(OsString::from_vec(word));
    }
}

impl Parser<'_> {
    fn words(&mut self, name: &str, text: &[u8]) -> Result<Vec<VmOption>, Outcome> {
        match split_words(text) {
            Ok(words) => Ok(words.into_iter().map(VmOption::new).collect()),
            Err(()) => {
                self.messages.err(format!("Unmatched quote in {name}\n"));
                Err(Outcome::Error)
            }
        }
    }

    /// The options of an environment variable, which is announced on stderr; none if the
    /// variable is not set or the process runs with more rights than its user has.
    pub(super) fn environment_variable(
        &mut self,
        name: &'static str,
        container: &'static str,
    ) -> Result<Source, Outcome> {
        let mut source = Source {
            container,
            options: Vec::new(),
            origin: Origin::Environment,
            ignore_unrecognized: false,
        };
        let Some(value) = (self.env)(name).filter(|_| !has_special_privileges()) else {
            return Ok(source);
        };
        let mut line = format!("Picked up {name}: ").into_bytes();
        line.extend_from_slice(value.as_bytes());
        line.push(b'\n');
        self.messages.err(line);
        source.options = self.words(name, value.as_bytes())?;
        Ok(source)
    }

    /// Looks for what must be known before anything else is parsed, and puts the contents of
    /// `-XX:VMOptionsFile=` in its place.
    pub(super) fn expand(&mut self, source: &mut Source) -> Result<(), Outcome> {
        let mut file_seen: Option<String> = None;
        let mut at = 0;
        while at < source.options.len() {
            let option = source.options[at].clone();
            if let Some(file) = option.tail("-XX:Flags=") {
                self.settings_file = Some(file);
            } else if let Some(file) = option.tail("-XX:VMOptionsFile=") {
                if let Some(first) = file_seen {
                    self.messages.err(format!(
                        "The option '{first}' is already specified in the options container '{}' so \
                         the specification of '{}' in the same options container is an error.\n",
                        source.container, option.text
                    ));
                    return Err(Outcome::Invalid);
                }
                let replacement = self.options_file(&file)?;
                if replacement.iter().any(|o| o.tail("-XX:VMOptionsFile=").is_some()) {
                    self.messages.err(format!(
                        "A VM options file may not refer to a VM options file. Specification of \
                         '-XX:VMOptionsFile=<file-name>' in the options file '{}' in options \
                         container '{}' is an error.\n",
                        option.text, source.container
                    ));
                    return Err(Outcome::Invalid);
                }
                file_seen = Some(option.text);
                // An empty file leaves the option in place; it is passed over later.
                if !replacement.is_empty() {
                    source.options.splice(at..=at, replacement);
                    continue;
                }
            } else {
                self.early_option(&option.text)?;
            }
            at += 1;
        }
        Ok(())
    }

    fn early_option(&mut self, text: &str) -> Result<(), Outcome> {
        match text {
            "-XX:+PrintVMOptions" => self.flags.set_quietly("PrintVMOptions", Value::Bool(true)),
            "-XX:-PrintVMOptions" => self.flags.set_quietly("PrintVMOptions", Value::Bool(false)),
            "-XX:+IgnoreUnrecognizedVMOptions" => {
                self.flags.set_quietly("IgnoreUnrecognizedVMOptions", Value::Bool(true));
            }
            "-XX:-IgnoreUnrecognizedVMOptions" => {
                self.flags.set_quietly("IgnoreUnrecognizedVMOptions", Value::Bool(false));
            }
            "-XX:+PrintFlagsInitial" => {
                let table = self.flags.print_table();
                self.messages.tty(table);
                return Err(Outcome::Exit(0));
            }
            _ => {}
        }
        Ok(())
    }

    fn options_file(&mut self, file: &OsStr) -> Result<Vec<VmOption>, Outcome> {
        let name = file.to_string_lossy().into_owned();
        let text = match std::fs::read(file) {
            Ok(text) => text,
            Err(error) => {
                // Opening a directory succeeds in C, and reading it then fails.
                let verb = if error.kind() == std::io::ErrorKind::IsADirectory { "read" } else { "open" };
                self.messages.err(format!("Could not {verb} options file '{name}'\n"));
                return Err(Outcome::Error);
            }
        };
        self.words(&name, &text)
    }

    /// Reads the file of `-XX:Flags=`: flags without `-XX:`, comments from `#` to the end of the
    /// line. False if a flag is wrong or the file cannot be read.
    pub(super) fn process_settings_file(&mut self, file: &OsStr, ignore: bool) -> bool {
        let Ok(text) = std::fs::read(file) else {
            let name = file.to_string_lossy();
            self.messages.err(format!("Could not open settings file {name}\n"));
            return false;
        };
        let mut good = true;
        for token in settings_tokens(&text) {
            good &= self.process_flag(&String::from_utf8_lossy(&token), ignore, Origin::ConfigFile);
        }
        good
    }
}

/// A token ends at a newline, or at white space outside quotes.
fn settings_tokens(text: &[u8]) -> Vec<Vec<u8>> {
    let mut tokens = Vec::new();
    let mut token: Option<Vec<u8>> = None;
    let (mut comment, mut quote) = (false, None);
    for &byte in text {
        match &mut token {
            None if comment => comment = byte != b'\n',
            None if byte == b'#' => comment = true,
            None if is_space(byte) => {}
            // The first character is taken as it is, even a quote.
            None => token = Some(vec![byte]),
            Some(_) if byte == b'\n' || (quote.is_none() && is_space(byte)) => {
                tokens.extend(token.take());
                quote = None;
            }
            Some(_) if quote.is_none() && matches!(byte, b'\'' | b'"') => quote = Some(byte),
            Some(_) if quote == Some(byte) => quote = None,
            Some(token) => token.push(byte),
        }
    }
    tokens.extend(token);
    tokens
}

/// Whether the process runs set-uid or set-gid; it must not obey its environment then.
fn has_special_privileges() -> bool {
    // SAFETY: these calls have no arguments and cannot fail.
    unsafe { libc::getuid() != libc::geteuid() || libc::getgid() != libc::getegid() }
}

#[cfg(test)]
mod tests {
    use super::{settings_tokens, split_words};

    #[test]
    fn words() {
        let words = split_words(b"  -Da=b -Dc='x y'\"z\"\t-X ").unwrap();
        assert_eq!(words, ["-Da=b", "-Dc=x yz", "-X"]);
        assert_eq!(split_words(b"-Da='b"), Err(()));
        assert_eq!(split_words(b"''").unwrap(), [""]);
    }

    #[test]
    fn settings() {
        let tokens = settings_tokens(b"# note\n+A -B\n  C='x y' # more\nD=1");
        let expected: [&[u8]; 4] = [b"+A", b"-B", b"C=x y", b"D=1"];
        assert_eq!(tokens, expected);
    }
}
