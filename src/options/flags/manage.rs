//! Setting flags while the VM runs (HotSpot's `WriteableFlags`): `VM.set_flag`, `jinfo -flag`,
//! `HotSpotDiagnosticMXBean.setVMOption`. Only those of kind `manageable` can be.

use super::{all, find, kind, Constant, FlagInfo, FlagType, Flags, Origin, SetError, Value};

/// Why a flag was not set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ManageError {
    /// There is one, but it is not manageable.
    NotWriteable,
    /// Anything else, in HotSpot's words.
    Other(String),
}

impl std::fmt::Display for ManageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ManageError::NotWriteable => f.write_str("only 'writeable' flags can be set"),
            ManageError::Other(text) => f.write_str(text),
        }
    }
}

fn other(text: impl Into<String>) -> ManageError {
    ManageError::Other(text.into())
}

/// The number at the start of the text, after white space, as `sscanf` finds it.
fn leading_number<T: std::str::FromStr>(text: &str, signed: bool) -> Option<T> {
    let text = text.trim_start();
    let sign = usize::from(signed && text.starts_with(['-', '+']));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    text[..sign + digits].parse().ok()
}

fn parse(ty: FlagType, text: &str) -> Result<Value, &'static str> {
    Ok(match ty {
        FlagType::bool if text.eq_ignore_ascii_case("true") || text == "1" => Value::Bool(true),
        FlagType::bool if text.eq_ignore_ascii_case("false") || text == "0" => Value::Bool(false),
        FlagType::bool => return Err("flag value must be a boolean (1/0 or true/false)"),
        FlagType::int => {
            Value::Signed(leading_number::<i32>(text, true).ok_or("flag value must be an integer")?.into())
        }
        FlagType::intx => Value::Signed(leading_number(text, true).ok_or("flag value must be an integer")?),
        FlagType::uint => Value::Unsigned(
            leading_number::<u32>(text, false).ok_or("flag value must be an unsigned integer")?.into(),
        ),
        FlagType::uintx | FlagType::size_t => {
            Value::Unsigned(leading_number(text, false).ok_or("flag value must be an unsigned integer")?)
        }
        FlagType::uint64_t => {
            Value::Unsigned(leading_number(text, false).ok_or("flag value must be an unsigned 64-bit integer")?)
        }
        FlagType::double => Value::Double(text.trim().parse().map_err(|_| "flag value must be a double")?),
        FlagType::ccstr | FlagType::ccstrlist => Value::Text(Some(text.to_string())),
    })
}

/// `[0...100]`
fn bounds(info: &FlagInfo) -> String {
    let end = |c: Constant| match c {
        Constant::Integer(v) => v.to_string(),
        Constant::Double(v) => format!("{v:.3}"),
        other => unreachable!("{other:?} is no end of a range"),
    };
    info.range.map_or(String::new(), |(min, max)| format!("[{}...{}]", end(min), end(max)))
}

impl Flags {
    fn manageable(&self, name: &str) -> Result<usize, ManageError> {
        let id = find(name)
            .filter(|&id| !all()[id].debug_only() && self.is_unlocked(all()[id]))
            .ok_or_else(|| other(format!("flag {name} does not exist")))?;
        if all()[id].kind & kind::manageable == 0 {
            return Err(ManageError::NotWriteable);
        }
        Ok(id)
    }

    /// Sets the flag to what a text means. `None` for a value that was not given.
    pub fn manage(&self, name: &str, value: Option<&str>, origin: Origin) -> Result<(), ManageError> {
        let Some(value) = value else { return Err(other("flag value is missing")) };
        let id = self.manageable(name)?;
        self.manage_id(id, parse(all()[id].ty, value).map_err(other)?, origin)
    }

    /// The same to a value of any kind of number: narrower flags take the low bits.
    pub fn manage_value(&self, name: &str, value: Value, origin: Origin) -> Result<(), ManageError> {
        self.manage_id(self.manageable(name)?, value, origin)
    }

    fn manage_id(&self, id: usize, value: Value, origin: Origin) -> Result<(), ManageError> {
        let info = all()[id];
        self.set_manageable(id, value, origin).map_err(|e| match e {
            SetError::Refused(_) => {
                other(format!("{} error: must have value in range {}", info.name, bounds(info)))
            }
            SetError::WrongType => other(format!("{} error: parsing the textual form of the value.", info.name)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manageable_flags_change_and_others_do_not() {
        let flags = Flags::new();
        let set = |name, value| flags.manage(name, value, Origin::Management).map_err(|e| e.to_string());
        assert_eq!(set("HeapDumpPath", Some("/tmp/x")), Ok(()));
        assert_eq!(flags.text("HeapDumpPath"), Some("/tmp/x"));
        assert_eq!(set("HeapDumpOnOutOfMemoryError", Some("TRUE")), Ok(()));
        assert!(flags.bool("HeapDumpOnOutOfMemoryError"));
        assert_eq!(flags.origin("HeapDumpOnOutOfMemoryError"), Origin::Management);
        assert_eq!(flags.as_option("HeapDumpOnOutOfMemoryError").as_deref(), Some("-XX:+HeapDumpOnOutOfMemoryError"));
        let wrong = |e: &str| Err(e.to_string());
        assert_eq!(set("MinHeapFreeRatio", Some("101")), wrong("MinHeapFreeRatio error: must have value in range [0...100]"));
        assert_eq!(set("MinHeapFreeRatio", Some("x")), wrong("flag value must be an unsigned integer"));
        assert_eq!(set("HeapDumpOnOutOfMemoryError", Some("2")), wrong("flag value must be a boolean (1/0 or true/false)"));
        assert_eq!(set("UseG1GC", Some("true")), wrong("only 'writeable' flags can be set"));
        assert_eq!(set("Bogus", Some("1")), wrong("flag Bogus does not exist"));
        assert_eq!(set("HeapDumpPath", None), wrong("flag value is missing"));
        assert!(flags.print_command_line().contains("-XX:HeapDumpPath=/tmp/x "));
    }
}
