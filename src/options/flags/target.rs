//! Flags of the 64-bit build and of the x86 processor. In HotSpot's order of declaration: the first of several equally similar names is the one suggested.

use super::info::flag_table;

flag_table! {
    bool UseCompressedOops = false {product lp64_product};
    bool UseCompressedClassPointers = false {product lp64_product};
    intx ObjectAlignmentInBytes = 8 [8, 256] {product lp64_product};
    bool IEEEPrecision {develop};
    bool UseStoreImmI16 = true {ARCH product};
    intx UseSSE = 99 [0, 99] {ARCH product};
    intx UseAVX = 3 [0, 99] {ARCH product};
    bool UseKNLSetting = false {ARCH diagnostic};
    bool UseCLMUL = false {ARCH product};
    bool UseIncDec = true {ARCH diagnostic};
    bool UseNewLongLShift = false {ARCH product};
    bool UseAddressNop = false {ARCH product};
    bool UseXmmLoadAndClearUpper = true {ARCH product};
    bool UseXmmRegToRegMoveAll = false {ARCH product};
    bool UseXmmI2D = false {ARCH product};
    bool UseXmmI2F = false {ARCH product};
    bool UseUnalignedLoadStores = false {ARCH product};
    bool UseXMMForObjInit = false {ARCH product};
    bool UseFastStosb = false {ARCH product};
    bool UseRTMLocking = false {ARCH product};
    bool UseRTMForStackLocks = false {ARCH experimental};
    bool UseRTMDeopt = false {ARCH product};
    int RTMRetryCount = 5 [0, 2147483647] {ARCH product};
    int RTMSpinLoopCount = 100 [0, 2147483647] {ARCH experimental};
    int RTMAbortThreshold = 1000 [0, 2147483647] {ARCH experimental};
    int RTMLockingThreshold = 10000 [0, 2147483647] {ARCH experimental};
    int RTMAbortRatio = 50 [0, 100] {ARCH experimental};
    int RTMTotalCountIncrRate = 64 [1, 2147483647] {ARCH experimental};
    intx RTMLockingCalculationDelay = 0 {ARCH experimental};
    bool UseRTMXendForLockBusy = true {ARCH experimental};
    bool UseCountLeadingZerosInstruction = false {ARCH product};
    bool UseCountTrailingZerosInstruction = false {ARCH product};
    bool UseSSE42Intrinsics = false {ARCH product};
    bool UseBMI1Instructions = false {ARCH product};
    bool UseBMI2Instructions = false {ARCH product};
    bool UseLibmIntrinsic = true {ARCH diagnostic};
    int AVX3Threshold = 4096 [0, 2147483647] {ARCH diagnostic};
    bool IntelJccErratumMitigation = true {ARCH diagnostic};
}
