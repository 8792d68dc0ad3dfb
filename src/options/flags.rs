//! The `-XX` flags: HotSpot 17's table and Kiln's own, and their values in this run.
//!
//! Nearly all of HotSpot's flags have no meaning here; they are accepted, checked and printed all
//! the same, because scripts set them. What Kiln acts on is read through the accessors, or, where
//! the flag is hot, through [`super::Settings`], which is resolved once after parsing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::OnceLock;

mod compilers;
mod constraints;
mod gc;
mod info;
mod kiln;
mod manage;
mod print;
mod runtime;
mod target;

pub use info::{kind, Constant, FlagInfo, FlagType};
pub use manage::ManageError;

/// The value of a flag. Signed types use `Signed`, all unsigned ones `Unsigned`.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    /// `None` is HotSpot's null: the flag was given no text.
    Text(Option<String>),
}

/// Who set a flag, as shown by `-XX:+PrintFlagsFinal`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    Default,
    CommandLine,
    Environment,
    ConfigFile,
    Ergonomic,
    /// A management client or a diagnostic command, while the VM ran.
    Management,
    /// A tool that has attached.
    Attach,
}

/// Why a value was refused.
#[derive(Clone, PartialEq, Debug)]
pub enum SetError {
    /// The flag has another type.
    WrongType,
    /// Outside its range or against a constraint; the text is HotSpot's line about it.
    Refused(String),
}

#[derive(Clone, Debug)]
struct State {
    value: Value,
    origin: Origin,
    /// Kept when ergonomics overrides: printed as `{command line, ergonomic}`.
    was_on_command_line: bool,
    changed: Changed,
}

/// What a flag was set to while the VM ran; null: nothing. References to earlier values stay good: they are never
/// freed, as changes are few.
#[derive(Debug, Default)]
struct Changed(AtomicPtr<State>);

impl Clone for Changed {
    fn clone(&self) -> Changed {
        Changed(AtomicPtr::new(self.0.load(Ordering::Acquire)))
    }
}

impl State {
    /// The state at present.
    fn now(&self) -> &State {
        // SAFETY: null or leaked by `Flags::set_manageable`.
        unsafe { self.changed.0.load(Ordering::Acquire).as_ref() }.unwrap_or(self)
    }
}

/// All flags with their present values.
#[derive(Clone, Debug)]
pub struct Flags {
    states: Vec<State>,
}

/// Number of a flag in [`all`].
pub type FlagId = usize;

/// Every known flag, debug-only ones included, in the order of declaration.
pub fn all() -> &'static [&'static FlagInfo] {
    static ALL: OnceLock<Vec<&'static FlagInfo>> = OnceLock::new();
    ALL.get_or_init(|| {
        [target::TABLE, compilers::TABLE, runtime::TABLE, gc::TABLE, kiln::TABLE]
            .into_iter()
            .flatten()
            .collect()
    })
}

/// The number of the flag called `name`, debug-only flags included.
pub fn find(name: &str) -> Option<FlagId> {
    static INDEX: OnceLock<HashMap<&'static str, FlagId>> = OnceLock::new();
    INDEX
        .get_or_init(|| all().iter().enumerate().map(|(id, info)| (info.name, id)).collect())
        .get(name)
        .copied()
}

/// How alike two names are: twice the number of adjacent letter pairs of `a` that occur in `b`,
/// over the sum of their lengths. HotSpot suggests by this measure.
pub(crate) fn similarity(a: &str, b: &str) -> f64 {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let hits = a.windows(2).filter(|pair| b.windows(2).any(|other| other == *pair)).count();
    2.0 * hits as f64 / (a.len() + b.len()) as f64
}

/// The known flag most like `name`, if it is like enough to be suggested.
pub(crate) fn most_similar(name: &str) -> Option<&'static FlagInfo> {
    // HotSpot computes the score in single precision and compares it with 0.7f.
    let mut best: Option<(&'static FlagInfo, f32)> = None;
    for info in all() {
        let score = similarity(info.name, name) as f32;
        if best.is_none_or(|(_, so_far)| score > so_far) {
            best = Some((info, score));
        }
    }
    best.filter(|(_, score)| *score >= 0.7).map(|(info, _)| info)
}

fn initial_value(info: &FlagInfo) -> Value {
    match (info.ty, info.default) {
        (_, Constant::Bool(v)) => Value::Bool(v),
        (_, Constant::Double(v)) => Value::Double(v),
        (_, Constant::Text(v)) => Value::Text(Some(v.to_string())),
        (ty, Constant::Integer(v)) if ty.is_signed() => Value::Signed(v as i64),
        (_, Constant::Integer(v)) => Value::Unsigned(v as u64),
        // Debug-only flags are constants in a product build; nothing reads or prints them.
        (FlagType::bool, Constant::None) => Value::Bool(false),
        (FlagType::double, Constant::None) => Value::Double(0.0),
        (ty, Constant::None) if ty.is_string() => Value::Text(None),
        (ty, Constant::None) if ty.is_signed() => Value::Signed(0),
        (_, Constant::None) => Value::Unsigned(0),
    }
}

impl Default for Flags {
    fn default() -> Flags {
        Flags::new()
    }
}

impl Flags {
    /// All flags at their defaults.
    pub fn new() -> Flags {
        let state = |info: &&FlagInfo| State {
            value: initial_value(info),
            origin: Origin::Default,
            was_on_command_line: false,
            changed: Changed::default(),
        };
        Flags { states: all().iter().map(state).collect() }
    }

    fn state(&self, name: &str) -> &State {
        match find(name) {
            Some(id) => self.states[id].now(),
            None => panic!("no VM flag is called {name}"),
        }
    }

    /// The value of the flag called `name`. Panics if there is none, as all accessors do: the
    /// names are written in Kiln's source, not taken from input.
    pub fn value(&self, name: &str) -> &Value {
        &self.state(name).value
    }

    /// The value of a flag of type bool.
    pub fn bool(&self, name: &str) -> bool {
        match self.value(name) {
            Value::Bool(v) => *v,
            other => panic!("VM flag {name} is no bool but {other:?}"),
        }
    }

    /// The value of a flag of type int or intx.
    pub fn signed(&self, name: &str) -> i64 {
        match self.value(name) {
            Value::Signed(v) => *v,
            other => panic!("VM flag {name} is no signed integer but {other:?}"),
        }
    }

    /// The value of a flag of type uint, uintx, uint64_t or size_t.
    pub fn unsigned(&self, name: &str) -> u64 {
        match self.value(name) {
            Value::Unsigned(v) => *v,
            other => panic!("VM flag {name} is no unsigned integer but {other:?}"),
        }
    }

    /// The value of a flag of type double.
    pub fn double(&self, name: &str) -> f64 {
        match self.value(name) {
            Value::Double(v) => *v,
            other => panic!("VM flag {name} is no double but {other:?}"),
        }
    }

    /// The value of a flag of type ccstr or ccstrlist; the entries of a list are separated by
    /// newlines. `None`: not set.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Value::Text(v) => v.as_deref(),
            other => panic!("VM flag {name} is no text but {other:?}"),
        }
    }

    /// Who set the flag.
    pub fn origin(&self, name: &str) -> Origin {
        self.state(name).origin
    }

    /// Whether nobody has set the flag.
    pub fn is_default(&self, name: &str) -> bool {
        self.origin(name) == Origin::Default
    }

    /// Whether the flag was set by an option that came through the launcher.
    pub fn is_command_line(&self, name: &str) -> bool {
        self.origin(name) == Origin::CommandLine
    }

    /// Whether a flag of this kind may be set or seen now.
    pub fn is_unlocked(&self, info: &FlagInfo) -> bool {
        if info.kind & kind::diagnostic != 0 {
            self.bool("UnlockDiagnosticVMOptions")
        } else if info.kind & kind::experimental != 0 {
            self.bool("UnlockExperimentalVMOptions")
        } else {
            true
        }
    }

    /// Sets flag `id` after checking type, range and the constraints that hold at any time.
    pub fn set(&mut self, id: FlagId, value: Value, origin: Origin) -> Result<(), SetError> {
        let info = all()[id];
        if std::mem::discriminant(&value) != std::mem::discriminant(&self.states[id].value) {
            return Err(SetError::WrongType);
        }
        check_range(info, &value).map_err(SetError::Refused)?;
        check_at_parse(info.name, &value).map_err(SetError::Refused)?;
        self.store(id, value, origin);
        Ok(())
    }

    /// Sets a flag while the VM runs. Only `manageable` ones are looked at again, so that no other may be set: the
    /// caller sees to that.
    pub fn set_manageable(&self, id: FlagId, value: Value, origin: Origin) -> Result<(), SetError> {
        let info = all()[id];
        debug_assert!(info.kind & kind::manageable != 0);
        let before = self.states[id].now();
        if std::mem::discriminant(&value) != std::mem::discriminant(&before.value) {
            return Err(SetError::WrongType);
        }
        check_range(info, &value).map_err(SetError::Refused)?;
        let was_on_command_line = before.was_on_command_line;
        let state = State { value, origin, was_on_command_line, changed: Changed::default() };
        self.states[id].changed.0.store(Box::into_raw(Box::new(state)), Ordering::Release);
        Ok(())
    }

    fn store(&mut self, id: FlagId, value: Value, origin: Origin) {
        let state = &mut self.states[id];
        state.value = value;
        state.origin = origin;
        state.was_on_command_line |= origin == Origin::CommandLine;
    }

    /// Sets a flag that the VM's own rules decide on. Panics if the name or type is wrong.
    pub fn set_by_rule(&mut self, name: &str, value: Value, origin: Origin) {
        let id = find(name).unwrap_or_else(|| panic!("no VM flag is called {name}"));
        assert_eq!(
            std::mem::discriminant(&value),
            std::mem::discriminant(&self.states[id].value),
            "VM flag {name} has another type"
        );
        self.store(id, value, origin);
    }

    /// Sets the value without changing who is said to have set it, as HotSpot does where it
    /// overrides one flag because of another.
    pub fn set_quietly(&mut self, name: &str, value: Value) {
        let origin = self.origin(name);
        self.set_by_rule(name, value, origin);
    }

    /// Checks what can only be checked when every flag is known. Gives HotSpot's lines, in the
    /// order of declaration; empty if all is well. `interpreted`: no compiler is used.
    pub fn check_after_ergonomics(&self, interpreted: bool) -> Vec<String> {
        let ranges = all()
            .iter()
            .enumerate()
            .filter_map(|(id, info)| check_range(info, &self.states[id].value).err());
        ranges.chain(self.check_constraints(interpreted)).collect()
    }
}

fn check_range(info: &FlagInfo, value: &Value) -> Result<(), String> {
    let Some((min, max)) = info.range else { return Ok(()) };
    let (ty, name) = (info.ty.name(), info.name);
    let outside = |value: String, min: String, max: String| {
        Err(format!("{ty} {name}={value} is outside the allowed range [ {min} ... {max} ]\n"))
    };
    match (value, min, max) {
        (Value::Signed(v), Constant::Integer(min), Constant::Integer(max)) => {
            if (min..=max).contains(&i128::from(*v)) {
                return Ok(());
            }
            outside(v.to_string(), min.to_string(), max.to_string())
        }
        (Value::Unsigned(v), Constant::Integer(min), Constant::Integer(max)) => {
            if (min..=max).contains(&i128::from(*v)) {
                return Ok(());
            }
            outside(v.to_string(), min.to_string(), max.to_string())
        }
        (Value::Double(v), Constant::Double(min), Constant::Double(max)) => {
            if (min..=max).contains(v) {
                return Ok(());
            }
            outside(format!("{v:.6}"), format!("{min:.6}"), format!("{max:.6}"))
        }
        _ => unreachable!("the range of {name} has another type than its value"),
    }
}

fn check_at_parse(name: &str, value: &Value) -> Result<(), String> {
    match (name, value) {
        ("ObjectAlignmentInBytes", Value::Signed(v)) if v.count_ones() != 1 => {
            Err(format!("ObjectAlignmentInBytes ({v}) must be power of 2\n"))
        }
        _ => Ok(()),
    }
}
