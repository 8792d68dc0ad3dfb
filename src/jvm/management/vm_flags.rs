//! `HotSpotDiagnosticMXBean`'s VM options: the flags.

use super::jmm_entry;
use crate::exceptions::{throw, VmResult};
use crate::heap::access::{array_ref, set_array_ref};
use crate::heap::layout::Oop;
use crate::heap::{alloc, strings};
use crate::jni::refs;
use crate::jvm::entry::Handle;
use crate::link::load;
use crate::meta::well_known::Known;
use crate::options::flags::{self, FlagInfo, FlagType, Origin, Value};
use crate::threads::JavaThread;
use std::ffi::c_void;

/// `jmmVMGlobal`.
#[repr(C)]
struct Global {
    name: Handle,
    value: u64,
    ty: i32,
    origin: i32,
    /// Bit 0: writeable; bit 1: an external interface.
    bits: u32,
    reserved: [usize; 2],
}

const TYPE_BOOLEAN: i32 = 1;
const TYPE_STRING: i32 = 2;
const TYPE_LONG: i32 = 3;
const TYPE_DOUBLE: i32 = 4;
const WRITEABLE: u32 = 1;
const EXTERNAL: u32 = 2;

/// The flags that may be seen: not those of debug builds, nor locked ones.
fn visible() -> impl Iterator<Item = &'static FlagInfo> {
    let set = &crate::vm::get().options.flags;
    flags::all().iter().copied().filter(|f| !f.debug_only() && set.is_unlocked(f))
}

/// How many flags there are.
pub(super) fn count() -> usize {
    visible().count()
}

/// A `String[]`.
pub(super) fn string_array(t: &JavaThread, texts: &[&str]) -> VmResult<Oop> {
    let array = alloc::array(t, load::array_class(t, Known::String.get())?, texts.len() as i32)?;
    for (i, text) in texts.iter().enumerate() {
        let s = strings::new(t, text)?;
        set_array_ref(t, array, i, s);
    }
    Ok(array)
}

fn describe(t: &JavaThread, info: &FlagInfo, name: Oop) -> VmResult<Global> {
    let set = &crate::vm::get().options.flags;
    let name = refs::new_local(t, name);
    let (ty, value) = match set.value(info.name) {
        Value::Bool(b) => (TYPE_BOOLEAN, u64::from(*b)),
        Value::Signed(v) => (TYPE_LONG, *v as u64),
        Value::Unsigned(v) => (TYPE_LONG, *v),
        Value::Double(v) => (TYPE_DOUBLE, v.to_bits()),
        Value::Text(text) => {
            let s = match text {
                Some(s) => strings::new(t, s)?,
                None => Oop::NULL,
            };
            (TYPE_STRING, refs::new_local(t, s) as u64)
        }
    };
    let origin = match set.origin(info.name) {
        Origin::Default => 1,
        Origin::CommandLine => 2,
        Origin::Environment => 4,
        Origin::ConfigFile => 5,
        Origin::Management => 3,
        Origin::Ergonomic => 6,
        Origin::Attach => 7,
    };
    let external = info.kind & flags::kind::manageable != 0;
    Ok(Global { name, value, ty, origin, bits: if external { WRITEABLE | EXTERNAL } else { 0 }, reserved: [0; 2] })
}

jmm_entry! {
    fn get_names(t) -> Oop {
        string_array(t, &visible().map(|f| f.name).collect::<Vec<_>>())
    }

    /// Fills in the flags named (all, if there is no array) up to `count`; how many were found.
    /// A flag that is not there gets a null name.
    fn get_flags(t, names: Oop, out: *mut c_void, count: i32) -> i32 {
        let out = out as *mut Global;
        let mut found = 0;
        if names.is_null() {
            for (i, info) in visible().take(count as usize).enumerate() {
                let name = strings::new(t, info.name)?;
                out.add(i).write(describe(t, info, name)?);
                found += 1;
            }
            return Ok(found);
        }
        for i in 0..names.array_length().min(count as usize) {
            let name = array_ref(names, i);
            let text = strings::to_rust(name);
            match visible().find(|f| f.name == text) {
                Some(info) => {
                    out.add(i).write(describe(t, info, name)?);
                    found += 1;
                }
                None => (*out.add(i)).name = std::ptr::null_mut(),
            }
        }
        Ok(found)
    }

    /// Sets a manageable flag to a `jvalue`.
    fn set_flag(t, name: Oop, value: u64) -> () {
        if name.is_null() {
            return Err(throw(t, "java/lang/NullPointerException", Some("flag name is missing".into())));
        }
        let name = strings::to_rust(name);
        let illegal = |m: String| throw(t, "java/lang/IllegalArgumentException", Some(m));
        let Some(id) = flags::find(&name) else { return Err(illegal(format!("flag {name} does not exist"))) };
        let value = match flags::all()[id].ty {
            FlagType::bool => Value::Bool(value as u8 != 0),
            FlagType::int => Value::Signed(i64::from(value as i32)),
            FlagType::intx => Value::Signed(value as i64),
            FlagType::uint => Value::Unsigned(u64::from(value as u32)),
            FlagType::uintx | FlagType::uint64_t | FlagType::size_t => Value::Unsigned(value),
            FlagType::double => Value::Double(f64::from_bits(value)),
            FlagType::ccstr | FlagType::ccstrlist => match refs::resolve(value as Handle).non_null() {
                Some(text) => Value::Text(Some(strings::to_rust(text))),
                None => return Err(illegal("flag value is missing".into())),
            },
        };
        let result = crate::vm::get().options.flags.manage_value(&name, value, Origin::Management);
        result.map_err(|e| illegal(e.to_string()))
    }
}
