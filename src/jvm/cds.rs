//! Class data sharing: Kiln has no archives, so nothing is ever shared or dumped. What asks
//! whether it is gets "no"; what would dump an archive throws.
#![allow(non_snake_case)] // the names are jvm.h's

use crate::exceptions::throw;
use crate::heap::layout::Oop;
use crate::jvm_entry;

jvm_entry! {
    /// `CDS.isDumpingArchive0`.
    fn JVM_IsCDSDumpingEnabled(_t) -> bool {
        Ok(false)
    }

    /// `CDS.isSharingEnabled0`.
    fn JVM_IsSharingEnabled(_t) -> bool {
        Ok(false)
    }

    /// `CDS.isDumpingClassList0`.
    fn JVM_IsDumpingClassList(_t) -> bool {
        Ok(false)
    }

    /// `CDS.getRandomSeedForDumping`: 0 means that nothing is being dumped.
    fn JVM_GetRandomSeedForDumping(_t;) -> i64 {
        Ok(0)
    }

    /// `CDS.initializeFromArchive`: the class's archived fields stay null, which is its sign to
    /// compute them.
    fn JVM_InitializeFromArchive(_t, _class: Oop) -> () {
        Ok(())
    }

    /// `CDS.logLambdaFormInvoker`: called only while a class list is dumped.
    fn JVM_LogLambdaFormInvoker(t, _line: Oop) -> () {
        Err(throw(t, "java/lang/InternalError", Some("CDS.logLambdaFormInvoker: no class list is being dumped".into())))
    }

    /// `CDS.dumpClassList`.
    fn JVM_DumpClassListToFile(t, _file: Oop) -> () {
        Err(throw(t, "java/lang/UnsupportedOperationException", Some("CDS.dumpClassList: Kiln has no class data sharing".into())))
    }

    /// `CDS.dumpDynamicArchive`.
    fn JVM_DumpDynamicArchive(t, _file: Oop) -> () {
        Err(throw(t, "java/lang/UnsupportedOperationException", Some("CDS.dumpDynamicArchive: Kiln has no class data sharing".into())))
    }

    /// `LambdaProxyClassArchive.addToArchive`: called only while an archive is dumped.
    fn JVM_RegisterLambdaProxyClassForArchiving(
        t, _caller: Oop, _name: Oop, _factory: Oop, _interface: Oop, _implementation: Oop, _dynamic: Oop, _class: Oop,
    ) -> () {
        Err(throw(t, "java/lang/InternalError", Some("LambdaProxyClassArchive: no archive is being dumped".into())))
    }

    /// `LambdaProxyClassArchive.findFromArchive`: there is none.
    fn JVM_LookupLambdaProxyClassFromArchive(
        _t, _caller: Oop, _name: Oop, _factory: Oop, _interface: Oop, _implementation: Oop, _dynamic: Oop,
    ) -> Oop {
        Ok(Oop::NULL)
    }
}
