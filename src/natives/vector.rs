//! `jdk.internal.vm.vector.VectorSupport`: Kiln has no vector intrinsics, the class library's
//! fallbacks in Java do the work.

use crate::exceptions::VmResult;
use crate::threads::JavaThread;

/// `getMaxLaneCount(Class)`: no vectors of any element type.
fn get_max_lane_count(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(u64::from(-1i32 as u32))
}

/// `registerNatives()I`: the result is the size of the largest vector, unused in JDK 17.
fn register_natives(_t: &JavaThread, _args: *const u64) -> VmResult<u64> {
    Ok(0)
}

/// The natives of this file.
pub(super) const TABLE: super::ClassNatives = (
    "jdk/internal/vm/vector/VectorSupport",
    &[
        ("registerNatives", "()I", register_natives),
        ("getMaxLaneCount", "(Ljava/lang/Class;)I", get_max_lane_count),
    ],
);
