//! Kiln's own flags. `StressSeed` is HotSpot's too, but diagnostic there; Kiln's stress switches
//! need no unlocking.

use super::info::flag_table;

flag_table! {
    ccstr KilnGC = "StickyImmix" {product};
    bool GCStress = false {product};
    uintx GCStressInterval = 65536 [1, 18446744073709551615] {product};
    uint StressSeed = 0 {product};
    bool SafepointStress = false {product};
    bool DeoptStress = false {product};
    bool VerifyIR = false {product};
    ccstr PrintIR {product};
    ccstr CompilationReport {product};
    bool CompileTheWorld = false {product};
    ccstr CompileTheWorldModule = "java.base" {product};
    ccstr CompileTheWorldPrefix = "java/" {product};
    uint CompileTheWorldStartAt = 1 {product};
    uint CompileTheWorldStopAt = 4294967295 {product};
}
