//! Natives of reflection that are called often: `Reflection`, `Array`.

use super::slots::*;
use super::ClassNatives;
use crate::exceptions::VmResult;
use crate::jvm::support::declared_class;
use crate::jvm::{arrays, class_info, find_class};
use crate::link::access::are_nestmates;
use crate::threads::JavaThread;

pub(super) static TABLE: &[ClassNatives] = &[
    (
        "jdk/internal/reflect/Reflection",
        &[
            ("getCallerClass", "()Ljava/lang/Class;", get_caller_class),
            ("getClassAccessFlags", "(Ljava/lang/Class;)I", get_class_access_flags),
            ("areNestMates", "(Ljava/lang/Class;Ljava/lang/Class;)Z", are_nest_mates),
        ],
    ),
    (
        "java/lang/reflect/Array",
        &[
            ("newArray", "(Ljava/lang/Class;I)Ljava/lang/Object;", new_array),
            ("getLength", "(Ljava/lang/Object;)I", get_length),
        ],
    ),
];

// Each of these is bound to the method it is tabled with: its slots hold what the descriptor says.

fn get_caller_class(t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(of_ref(find_class::caller_class(t)?))
}

fn get_class_access_flags(_t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_int(class_info::access_flags(unsafe { reference(args, 0) })))
}

fn are_nest_mates(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    let (a, b) = unsafe { (reference(args, 0), reference(args, 1)) };
    Ok(of_bool(are_nestmates(t, declared_class(a), declared_class(b))?))
}

fn new_array(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    let (element, length) = unsafe { (reference(args, 0), int(args, 1)) };
    Ok(of_ref(arrays::new_array(t, element, length)?))
}

fn get_length(t: &JavaThread, args: *const u64) -> VmResult<u64> {
    // SAFETY: see above.
    Ok(of_int(arrays::length(t, unsafe { reference(args, 0) })?))
}
