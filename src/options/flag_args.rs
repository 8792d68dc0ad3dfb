//! One `-XX:` option.

use super::flags::{self, FlagType, Origin, SetError, Value};
use super::messages::VmOutput;
use super::parser::Parser;
use super::size::parse_size;
use super::special::{fate, real_name, Fate};

/// The longest flag name that is looked at.
const MAX_NAME: usize = 255;

fn name_length(text: &str) -> usize {
    text.bytes().take(MAX_NAME).take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()
}

/// A number with a decimal point: digits, point, digits, perhaps an exponent.
fn parse_decimal(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.')?;
    let whole_good = !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let fraction_good = !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'e' | b'E' | b'+' | b'-'));
    (whole_good && fraction_good).then(|| text.parse().ok()).flatten()
}

/// The value that `text` means for a flag of type `ty`. Narrower types take the low bits.
fn parse_number(ty: FlagType, text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) if ty.is_signed() => (true, digits),
        Some(_) => return None,
        None => (false, text),
    };
    let number = parse_size(digits)?;
    let signed = |v: i64| Value::Signed(if negative { v.wrapping_neg() } else { v });
    Some(match ty {
        FlagType::int => signed(i64::from(number as i32)),
        FlagType::intx => signed(number as i64),
        FlagType::uint => Value::Unsigned(u64::from(number as u32)),
        FlagType::uintx | FlagType::uint64_t | FlagType::size_t => Value::Unsigned(number),
        FlagType::double => Value::Double(number as f64),
        FlagType::bool | FlagType::ccstr | FlagType::ccstrlist => return None,
    })
}

impl Parser<'_> {
    /// Looks up a flag that may be set, following renames and warning of deprecation.
    fn settable(&mut self, name: &str) -> Option<flags::FlagId> {
        let real = real_name(name);
        if let Some(Fate::Deprecated(since)) = fate(name) {
            let warning = format!(
                "Option {name} was deprecated in version {since} and will likely be removed in a \
                 future release."
            );
            if real == name {
                self.warn(&warning);
            } else {
                self.warn(&format!("{warning} Use option {real} instead."));
            }
        }
        let id = flags::find(real)?;
        let info = flags::all()[id];
        let unlocker = matches!(info.name, "UnlockDiagnosticVMOptions" | "UnlockExperimentalVMOptions");
        let usable = !info.debug_only() && (unlocker || self.flags.is_unlocked(info));
        usable.then_some(id)
    }

    /// Sets a flag and prints why it cannot be. True if it is set.
    fn store(&mut self, id: flags::FlagId, value: Value, origin: Origin) -> bool {
        match self.flags.set(id, value, origin) {
            Ok(()) => {
                self.messages.vm_output = VmOutput {
                    display: self.flags.bool("DisplayVMOutput"),
                    to_stderr: self.flags.bool("DisplayVMOutputToStderr"),
                    log: self.flags.bool("LogVMOutput"),
                };
                true
            }
            Err(SetError::WrongType) => false,
            Err(SetError::Refused(line)) => {
                self.messages.err(line);
                false
            }
        }
    }

    /// Sets a flag on behalf of another option. False, with a message, if the value is refused.
    pub(super) fn set_flag(&mut self, name: &str, value: Value) -> bool {
        let id = flags::find(name).unwrap_or_else(|| panic!("no VM flag is called {name}"));
        self.store(id, value, Origin::CommandLine)
    }

    /// Parses `+Name`, `-Name`, `Name=value`, `Name:=value` and sets the flag.
    fn parse_flag(&mut self, text: &str, origin: Origin) -> bool {
        if let Some(rest) = text.strip_prefix(['+', '-']) {
            if rest.is_empty() || name_length(rest) != rest.len() {
                return false;
            }
            let enable = text.starts_with('+');
            return match self.settable(rest) {
                Some(id) => self.store(id, Value::Bool(enable), origin),
                None => false,
            };
        }
        let length = name_length(text);
        let (name, rest) = text.split_at(length);
        if name.is_empty() {
            return false;
        }
        if let Some(value) = rest.strip_prefix(":=") {
            let value = (!value.is_empty()).then(|| value.to_string());
            return match self.settable(name) {
                Some(id) => self.store(id, Value::Text(value), origin),
                None => false,
            };
        }
        let Some(value) = rest.strip_prefix('=') else { return false };
        let Some(id) = self.settable(name) else { return false };
        let ty = flags::all()[id].ty;
        let parsed = match ty {
            FlagType::ccstrlist => {
                let old = self.flags.text(flags::all()[id].name).unwrap_or("");
                let lines: Vec<&str> = [old, value].into_iter().filter(|s| !s.is_empty()).collect();
                Some(Value::Text(Some(lines.join("\n"))))
            }
            FlagType::ccstr => Some(Value::Text((!value.is_empty()).then(|| value.to_string()))),
            _ if value.contains('.') => parse_decimal(value).map(Value::Double),
            _ => parse_number(ty, value),
        };
        match parsed {
            Some(parsed) => self.store(id, parsed, origin),
            None => false,
        }
    }

    /// Processes what follows `-XX:`. False, with HotSpot's message, if it is wrong; with
    /// `ignore`, flags that the VM does not know are passed over.
    pub(super) fn process_flag(&mut self, text: &str, ignore: bool, origin: Origin) -> bool {
        if self.parse_flag(text, origin) {
            return true;
        }
        let signed = text.starts_with(['+', '-']);
        let argument = if signed { &text[1..] } else { text };
        let name = argument.split('=').next().unwrap_or(argument);
        if name.len() <= MAX_NAME {
            if let Some(Fate::Obsolete(since)) = fate(name) {
                if flags::find(name).is_none() {
                    self.warn(&format!("Ignoring option {name}; support was removed in {since}"));
                    return true;
                }
                self.warn(&format!(
                    "Temporarily processing option {name}; support is scheduled for removal in {since}"
                ));
            }
        }
        // A leading # comments the option out, but it is complained about all the same.
        let commented_out = text.starts_with('#');
        let Some(id) = flags::find(name) else {
            if ignore {
                return true;
            }
            self.messages.err(format!("Unrecognized VM option '{argument}'\n"));
            if let Some(info) = flags::most_similar(name) {
                let is_bool = info.ty == FlagType::bool;
                let (before, after) = if is_bool { ("(+/-)", "") } else { ("", "=<value>") };
                self.messages.err(format!("Did you mean '{before}{}{after}'? ", info.name));
            }
            return commented_out;
        };
        let info = flags::all()[id];
        if let Some(locked) = self.locked_message(info) {
            if ignore && info.debug_only() {
                return true;
            }
            self.messages.err(locked);
        } else if info.ty == FlagType::bool && !signed {
            self.messages.err(format!("Missing +/- setting for VM option '{argument}'\n"));
        } else if info.ty != FlagType::bool && signed {
            self.messages.err(format!("Unexpected +/- setting in VM option '{argument}'\n"));
        } else {
            self.messages.err(format!("Improperly specified VM option '{argument}'\n"));
        }
        commented_out
    }

    fn locked_message(&self, info: &flags::FlagInfo) -> Option<String> {
        let name = info.name;
        let locked = |kind: &str, switch: &str| {
            format!(
                "Error: VM option '{name}' is {kind} and must be enabled via -XX:+{switch}.\n\
                 Error: The unlock option must precede '{name}'.\n"
            )
        };
        let debug_only = |kind: &str| {
            format!("Error: VM option '{name}' is {kind} and is available only in debug version of VM.\n")
        };
        let has = |bit: u16| info.kind & bit != 0;
        if has(flags::kind::develop) {
            Some(debug_only("develop"))
        } else if has(flags::kind::notproduct) {
            Some(debug_only("notproduct"))
        } else if self.flags.is_unlocked(info) {
            None
        } else if has(flags::kind::diagnostic) {
            Some(locked("diagnostic", "UnlockDiagnosticVMOptions"))
        } else {
            Some(locked("experimental", "UnlockExperimentalVMOptions"))
        }
    }
}
