/*
 * Natives of JniFunctions.java: each exercises an area of the JNI function table and prints what
 * it sees. The output must be the same on every VM.
 */
#include <jni.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static JavaVM *vm;
static jclass loaded_in_on_load;

static void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

/* Prints and clears the pending exception, if any. */
static void caught(JNIEnv *env, const char *what) {
    jthrowable e = (*env)->ExceptionOccurred(env);
    if (e == NULL) {
        say("%s: nothing thrown", what);
        return;
    }
    (*env)->ExceptionClear(env);
    jclass object = (*env)->FindClass(env, "java/lang/Object");
    jmethodID to_string = (*env)->GetMethodID(env, object, "toString", "()Ljava/lang/String;");
    jstring text = (*env)->CallObjectMethod(env, e, to_string);
    const char *chars = (*env)->GetStringUTFChars(env, text, NULL);
    say("%s: %s", what, chars);
    (*env)->ReleaseStringUTFChars(env, text, chars);
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *java_vm, void *reserved) {
    (void)reserved;
    vm = java_vm;
    JNIEnv *env;
    if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_10) != JNI_OK) {
        return JNI_ERR;
    }
    /* A class of the application: found only through the loader of the library. */
    jclass c = (*env)->FindClass(env, "JniFunctions$Data");
    if (c == NULL) {
        return JNI_ERR;
    }
    loaded_in_on_load = (*env)->NewGlobalRef(env, c);
    return JNI_VERSION_10;
}

JNIEXPORT void JNICALL Java_JniFunctions_classes(JNIEnv *env, jclass self) {
    say("version %x", (*env)->GetVersion(env));
    JavaVM *same = NULL;
    say("GetJavaVM %d %d", (*env)->GetJavaVM(env, &same), same == vm);
    jclass data = (*env)->FindClass(env, "JniFunctions$Data");
    jclass string = (*env)->FindClass(env, "java/lang/String");
    jclass object = (*env)->FindClass(env, "java/lang/Object");
    jclass runnable = (*env)->FindClass(env, "java/lang/Runnable");
    jclass ints = (*env)->FindClass(env, "[I");
    jclass strings = (*env)->FindClass(env, "[[Ljava/lang/String;");
    say("same class %d", (*env)->IsSameObject(env, data, loaded_in_on_load));
    say("envelope %d", (*env)->IsSameObject(env, string, (*env)->FindClass(env, "Ljava/lang/String;")));
    say("super of String is Object %d", (*env)->IsSameObject(env, object, (*env)->GetSuperclass(env, string)));
    say("super of Object %p", (void *)(*env)->GetSuperclass(env, object));
    say("super of Runnable %p", (void *)(*env)->GetSuperclass(env, runnable));
    say("super of int[] is Object %d", (*env)->IsSameObject(env, object, (*env)->GetSuperclass(env, ints)));
    say("assignable %d %d %d", (*env)->IsAssignableFrom(env, string, object),
        (*env)->IsAssignableFrom(env, object, string), (*env)->IsAssignableFrom(env, strings, object));
    say("instance %d %d %d", (*env)->IsInstanceOf(env, string, object), (*env)->IsInstanceOf(env, string, string),
        (*env)->IsInstanceOf(env, NULL, string));
    say("class of class %d",
        (*env)->IsSameObject(env, (*env)->GetObjectClass(env, self), (*env)->FindClass(env, "java/lang/Class")));
    (*env)->FindClass(env, "no/such/Type");
    caught(env, "FindClass of nothing");
    (*env)->FindClass(env, "java.lang.String");
    caught(env, "FindClass with dots");
    (*env)->FindClass(env, NULL);
    caught(env, "FindClass of null");
    (*env)->FindClass(env, "JniFunctions$Broken");
    caught(env, "FindClass of what fails to initialize");
    (*env)->AllocObject(env, runnable);
    caught(env, "AllocObject of an interface");
    (*env)->AllocObject(env, ints);
    caught(env, "AllocObject of an array");
    (*env)->AllocObject(env, (*env)->FindClass(env, "java/lang/Class"));
    caught(env, "AllocObject of Class");
    say("module %d", (*env)->GetModule(env, string) != NULL);
    (*env)->GetModule(env, NULL);
    caught(env, "GetModule of null");
}

JNIEXPORT void JNICALL Java_JniFunctions_members(JNIEnv *env, jclass self, jobject data, jobject method, jobject field) {
    jclass c = (*env)->GetObjectClass(env, data);
    (*env)->GetMethodID(env, c, "neverHeardOfThisMethod", "()V");
    caught(env, "unknown method name");
    (*env)->GetMethodID(env, c, "toString", "(I)V");
    caught(env, "wrong signature");
    (*env)->GetMethodID(env, c, "twice", "(I)I");
    caught(env, "static as instance");
    (*env)->GetStaticMethodID(env, c, "describe", "(ZBCSIJFDLjava/lang/String;)Ljava/lang/String;");
    caught(env, "instance as static");
    (*env)->GetFieldID(env, c, "neverHeardOfThisField", "I");
    caught(env, "unknown field");
    (*env)->GetFieldID(env, c, "i", "J");
    caught(env, "field of another type");
    (*env)->GetStaticFieldID(env, c, "i", "I");
    caught(env, "instance field as static");
    (*env)->GetMethodID(env, (*env)->FindClass(env, "[I"), "clone", "()Ljava/lang/Object;");
    caught(env, "clone of int[]");
    jmethodID m = (*env)->FromReflectedMethod(env, method);
    say("reflected method %d", m == (*env)->GetStaticMethodID(env, c, "twice", "(I)I"));
    jfieldID f = (*env)->FromReflectedField(env, field);
    say("reflected field %d", (*env)->GetIntField(env, data, f));
    jmethodID equals = (*env)->GetMethodID(env, (*env)->FindClass(env, "java/lang/Object"), "equals", "(Ljava/lang/Object;)Z");
    say("back %d %d", (*env)->CallBooleanMethod(env, method, equals, (*env)->ToReflectedMethod(env, c, m, JNI_TRUE)),
        (*env)->CallBooleanMethod(env, field, equals, (*env)->ToReflectedField(env, c, f, JNI_FALSE)));
    (void)self;
}

#define FIELD(type, Name, signature, field, value, format)                                         \
    do {                                                                                           \
        jfieldID id = (*env)->GetFieldID(env, c, #field, signature);                               \
        say(#Name " " format, (*env)->Get##Name##Field(env, data, id));                            \
        (*env)->Set##Name##Field(env, data, id, (type)value);                                      \
        say(#Name " now " format, (*env)->Get##Name##Field(env, data, id));                        \
        jfieldID s = (*env)->GetStaticFieldID(env, c, "s" #field, signature);                      \
        (*env)->SetStatic##Name##Field(env, c, s, (*env)->Get##Name##Field(env, data, id));        \
        say("static " #Name " " format, (*env)->GetStatic##Name##Field(env, c, s));                \
    } while (0)

JNIEXPORT void JNICALL Java_JniFunctions_fields(JNIEnv *env, jclass self, jobject data) {
    jclass c = (*env)->GetObjectClass(env, data);
    FIELD(jboolean, Boolean, "Z", z, 3, "%d");
    FIELD(jbyte, Byte, "B", b, -5, "%d");
    FIELD(jchar, Char, "C", c, 0xfffe, "%d");
    FIELD(jshort, Short, "S", s, -300, "%d");
    FIELD(jint, Int, "I", i, 0x80000000, "%d");
    FIELD(jlong, Long, "J", j, 0x123456789abcdefLL, "%lld");
    FIELD(jfloat, Float, "F", f, 1.5, "%g");
    FIELD(jdouble, Double, "D", d, -2.25, "%g");
    jfieldID l = (*env)->GetFieldID(env, c, "l", "Ljava/lang/Object;");
    (*env)->SetObjectField(env, data, l, self);
    say("Object %d", (*env)->IsSameObject(env, self, (*env)->GetObjectField(env, data, l)));
    (*env)->SetObjectField(env, data, l, NULL);
    say("null %d", (*env)->GetObjectField(env, data, l) == NULL);
    jfieldID sl = (*env)->GetStaticFieldID(env, c, "sl", "Ljava/lang/Object;");
    (*env)->SetStaticObjectField(env, c, sl, data);
    say("static Object %d", (*env)->IsSameObject(env, data, (*env)->GetStaticObjectField(env, c, sl)));
}

static jobject describe_with_list(JNIEnv *env, jobject o, jmethodID m, ...) {
    va_list args;
    va_start(args, m);
    jobject r = (*env)->CallObjectMethodV(env, o, m, args);
    va_end(args);
    return r;
}

static void show(JNIEnv *env, const char *what, jstring text) {
    if (text == NULL) {
        caught(env, what);
        return;
    }
    const char *chars = (*env)->GetStringUTFChars(env, text, NULL);
    say("%s: %s", what, chars);
    (*env)->ReleaseStringUTFChars(env, text, chars);
}

#define ECHO(Name, signature, value, format)                                                                        \
    do {                                                                                                            \
        jmethodID s = (*env)->GetStaticMethodID(env, c, "echo", "(" signature ")" signature);                       \
        jmethodID v = (*env)->GetMethodID(env, c, "same", "(" signature ")" signature);                             \
        say(#Name " " format " " format " " format, (*env)->CallStatic##Name##Method(env, c, s, value),             \
            (*env)->Call##Name##Method(env, data, v, value),                                                        \
            (*env)->CallNonvirtual##Name##Method(env, data, base, (*env)->GetMethodID(env, base, "same",            \
                "(" signature ")" signature), value));                                                              \
    } while (0)

JNIEXPORT void JNICALL Java_JniFunctions_calls(JNIEnv *env, jclass self, jobject data) {
    jclass c = (*env)->GetObjectClass(env, data);
    jclass base = (*env)->GetSuperclass(env, c);
    ECHO(Boolean, "Z", JNI_TRUE, "%d");
    ECHO(Byte, "B", -7, "%d");
    ECHO(Char, "C", 0xabcd, "%d");
    ECHO(Short, "S", -1234, "%d");
    ECHO(Int, "I", -123456, "%d");
    ECHO(Long, "J", (jlong)-1234567890123LL, "%lld");
    ECHO(Float, "F", 0.5, "%g");
    ECHO(Double, "D", 1e100, "%g");
    jmethodID describe =
        (*env)->GetMethodID(env, c, "describe", "(ZBCSIJFDLjava/lang/String;)Ljava/lang/String;");
    jstring word = (*env)->NewStringUTF(env, "word");
    show(env, "variadic", (*env)->CallObjectMethod(env, data, describe, JNI_TRUE, (jbyte)-1, (jchar)'x', (jshort)-2, 3,
                                                   (jlong)4, 5.5, 6.25, word));
    show(env, "va_list", describe_with_list(env, data, describe, JNI_FALSE, (jbyte)1, (jchar)'y', (jshort)2, -3,
                                            (jlong)-4, -5.5, -6.25, NULL));
    jvalue values[9] = {{.z = 5}, {.b = -128}, {.c = 0x20ac}, {.s = -32768}, {.i = -1}, {.j = -1}, {.f = 1.25f},
                        {.d = 2.5}, {.l = word}};
    show(env, "array", (*env)->CallObjectMethodA(env, data, describe, values));
    jmethodID name = (*env)->GetMethodID(env, base, "name", "()Ljava/lang/String;");
    show(env, "virtual", (*env)->CallObjectMethod(env, data, name));
    show(env, "nonvirtual", (*env)->CallNonvirtualObjectMethod(env, data, base, name));
    jmethodID length = (*env)->GetMethodID(env, (*env)->FindClass(env, "java/lang/CharSequence"), "length", "()I");
    say("interface %d", (*env)->CallIntMethod(env, word, length));
    jmethodID fail = (*env)->GetStaticMethodID(env, c, "fail", "(Ljava/lang/String;)V");
    (*env)->CallStaticVoidMethod(env, c, fail, word);
    caught(env, "static void");
    jmethodID constructor = (*env)->GetMethodID(env, c, "<init>", "(IJ)V");
    jobject made = (*env)->NewObject(env, c, constructor, 11, (jlong)22);
    show(env, "new", (*env)->CallObjectMethod(env, made, (*env)->GetMethodID(env, c, "toString", "()Ljava/lang/String;")));
    made = (*env)->AllocObject(env, c);
    show(env, "unconstructed", (*env)->CallObjectMethod(env, made, (*env)->GetMethodID(env, c, "toString", "()Ljava/lang/String;")));
    jclass bad = (*env)->FindClass(env, "JniFunctions$Thrower");
    say("thrower %d", (*env)->NewObject(env, bad, (*env)->GetMethodID(env, bad, "<init>", "()V")) == NULL);
    caught(env, "constructor");
    (void)self;
}

JNIEXPORT void JNICALL Java_JniFunctions_strings(JNIEnv *env, jclass self, jstring latin, jstring wide) {
    jstring both[2] = {latin, wide};
    for (int k = 0; k < 2; k++) {
        jstring s = both[k];
        jsize n = (*env)->GetStringLength(env, s), u = (*env)->GetStringUTFLength(env, s);
        say("length %d utf %d", n, u);
        const jchar *chars = (*env)->GetStringChars(env, s, NULL);
        const jchar *critical = (*env)->GetStringCritical(env, s, NULL);
        for (jsize i = 0; i < n; i++) {
            printf("%x%s ", chars[i], chars[i] == critical[i] ? "" : "!");
        }
        (*env)->ReleaseStringCritical(env, s, critical);
        jboolean copy = 7;
        const char *utf = (*env)->GetStringUTFChars(env, s, &copy);
        printf("| copy %d |", copy);
        for (jsize i = 0; i <= u; i++) {
            printf(" %02x", (unsigned char)utf[i]);
        }
        say("");
        jstring again = (*env)->NewString(env, chars, n), from_utf = (*env)->NewStringUTF(env, utf);
        jmethodID equals = (*env)->GetMethodID(env, (*env)->GetObjectClass(env, s), "equals", "(Ljava/lang/Object;)Z");
        say("equal %d %d", (*env)->CallBooleanMethod(env, s, equals, again), (*env)->CallBooleanMethod(env, s, equals, from_utf));
        (*env)->ReleaseStringUTFChars(env, s, utf);
        (*env)->ReleaseStringChars(env, s, chars);
        jchar part[3] = {0, 0, 0};
        (*env)->GetStringRegion(env, s, 1, 2, part);
        say("region %x %x %x", part[0], part[1], part[2]);
        char utf_part[16];
        memset(utf_part, '#', sizeof utf_part);
        (*env)->GetStringUTFRegion(env, s, 1, 2, utf_part);
        printf("utf region");
        for (int i = 0; i < 8; i++) {
            printf(" %02x", (unsigned char)utf_part[i]);
        }
        say("");
        (*env)->GetStringRegion(env, s, n - 1, 2, part);
        caught(env, "beyond the end");
        (*env)->GetStringUTFRegion(env, s, -1, 1, utf_part);
        caught(env, "before the start");
        (*env)->GetStringRegion(env, s, n, 0, part);
        caught(env, "empty at the end");
    }
    say("NewStringUTF(NULL) %p", (void *)(*env)->NewStringUTF(env, NULL));
    (void)self;
}

#define ARRAY(type, Name, format)                                                          \
    do {                                                                                   \
        type##Array a = (*env)->New##Name##Array(env, 5);                                  \
        type in[5] = {1, 2, 3, 4, 5}, out[5] = {0, 0, 0, 0, 0};                            \
        (*env)->Set##Name##ArrayRegion(env, a, 1, 3, in);                                  \
        (*env)->Get##Name##ArrayRegion(env, a, 0, 5, out);                                 \
        say(#Name " " format " " format " " format " " format, out[0], out[1], out[3], out[4]); \
        jboolean copy = 7;                                                                 \
        type *e = (*env)->Get##Name##ArrayElements(env, a, &copy);                         \
        e[0] = 9;                                                                          \
        (*env)->Release##Name##ArrayElements(env, a, e, JNI_COMMIT);                       \
        e[1] = 8;                                                                          \
        (*env)->Release##Name##ArrayElements(env, a, e, JNI_ABORT);                        \
        e = (*env)->Get##Name##ArrayElements(env, a, NULL);                                \
        e[2] = 7;                                                                          \
        (*env)->Release##Name##ArrayElements(env, a, e, 0);                                \
        type *p = (*env)->GetPrimitiveArrayCritical(env, a, NULL);                         \
        p[4] = 6;                                                                          \
        (*env)->ReleasePrimitiveArrayCritical(env, a, p, 0);                               \
        (*env)->Get##Name##ArrayRegion(env, a, 0, 5, out);                                 \
        say("copy %d: " format " " format " " format " " format " " format, copy, out[0], out[1], out[2], out[3], out[4]); \
        (*env)->Get##Name##ArrayRegion(env, a, 3, 3, out);                                 \
        caught(env, #Name " region too long");                                             \
        (*env)->Set##Name##ArrayRegion(env, a, -1, 1, out);                                \
        caught(env, #Name " region before the start");                                     \
    } while (0)

JNIEXPORT void JNICALL Java_JniFunctions_arrays(JNIEnv *env, jclass self) {
    ARRAY(jboolean, Boolean, "%d");
    ARRAY(jbyte, Byte, "%d");
    ARRAY(jchar, Char, "%d");
    ARRAY(jshort, Short, "%d");
    ARRAY(jint, Int, "%d");
    ARRAY(jlong, Long, "%lld");
    ARRAY(jfloat, Float, "%g");
    ARRAY(jdouble, Double, "%g");
    jclass string = (*env)->FindClass(env, "java/lang/String");
    jstring word = (*env)->NewStringUTF(env, "word");
    jobjectArray a = (*env)->NewObjectArray(env, 3, string, word);
    say("length %d %d", (*env)->GetArrayLength(env, a), (*env)->IsSameObject(env, word, (*env)->GetObjectArrayElement(env, a, 2)));
    (*env)->SetObjectArrayElement(env, a, 1, NULL);
    say("null %d", (*env)->GetObjectArrayElement(env, a, 1) == NULL);
    (*env)->GetObjectArrayElement(env, a, 3);
    caught(env, "index 3");
    (*env)->SetObjectArrayElement(env, a, -1, word);
    caught(env, "index -1");
    (*env)->SetObjectArrayElement(env, a, 0, string);
    caught(env, "Class into String[]");
    jobjectArray deep = (*env)->NewObjectArray(env, 1, (*env)->FindClass(env, "[[Ljava/lang/String;"), NULL);
    (*env)->SetObjectArrayElement(env, deep, 0, word);
    caught(env, "String into String[][][]");
    jobjectArray ints = (*env)->NewObjectArray(env, 1, (*env)->FindClass(env, "[I"), NULL);
    (*env)->SetObjectArrayElement(env, ints, 0, word);
    caught(env, "String into int[][]");
    (*env)->NewIntArray(env, -2);
    caught(env, "length -2");
    (*env)->NewObjectArray(env, -3, string, NULL);
    caught(env, "length -3");
    jintArray empty = (*env)->NewIntArray(env, 0);
    jboolean copy = 7;
    jint *none = (*env)->GetIntArrayElements(env, empty, &copy);
    say("empty %d %d", none != NULL, copy);
    (*env)->ReleaseIntArrayElements(env, empty, none, 0);
    (void)self;
}

JNIEXPORT void JNICALL Java_JniFunctions_exceptions(JNIEnv *env, jclass self) {
    jclass state = (*env)->FindClass(env, "java/lang/IllegalStateException");
    say("ThrowNew %d", (*env)->ThrowNew(env, state, "from C: \xc3\xa9"));
    say("check %d", (*env)->ExceptionCheck(env));
    jthrowable e = (*env)->ExceptionOccurred(env);
    /* Most functions may be called with an exception pending. */
    jclass found = (*env)->FindClass(env, "java/lang/Integer");
    say("found while pending %d, still pending %d", found != NULL,
        (*env)->IsSameObject(env, e, (*env)->ExceptionOccurred(env)));
    caught(env, "first");
    say("check %d", (*env)->ExceptionCheck(env));
    say("Throw %d", (*env)->Throw(env, e));
    caught(env, "again");
    (*env)->ThrowNew(env, state, NULL);
    caught(env, "no message");
    (*env)->ThrowNew(env, (*env)->FindClass(env, "JniFunctions$NoStringConstructor"), "text");
    caught(env, "no constructor for it");
    (*env)->ThrowNew(env, state, "described");
    (*env)->ExceptionDescribe(env);
    say("after describing %d", (*env)->ExceptionCheck(env));
    (*env)->ExceptionDescribe(env);
    (void)self;
}

JNIEXPORT void JNICALL Java_JniFunctions_throwing(JNIEnv *env, jclass self) {
    (void)self;
    (*env)->ThrowNew(env, (*env)->FindClass(env, "java/io/IOException"), "left pending");
}

JNIEXPORT void JNICALL Java_JniFunctions_references(JNIEnv *env, jclass self, jobject o) {
    jobject global = (*env)->NewGlobalRef(env, o);
    jobject weak = (*env)->NewWeakGlobalRef(env, o);
    jobject local = (*env)->NewLocalRef(env, o);
    say("types %d %d %d %d %d", (*env)->GetObjectRefType(env, o), (*env)->GetObjectRefType(env, global),
        (*env)->GetObjectRefType(env, weak), (*env)->GetObjectRefType(env, local), (*env)->GetObjectRefType(env, NULL));
    say("same %d %d %d", (*env)->IsSameObject(env, o, global), (*env)->IsSameObject(env, weak, local),
        (*env)->IsSameObject(env, weak, NULL));
    (*env)->DeleteLocalRef(env, local);
    say("PushLocalFrame %d %d", (*env)->PushLocalFrame(env, 100), (*env)->PushLocalFrame(env, -1));
    for (int i = 0; i < 1000; i++) {
        local = (*env)->NewLocalRef(env, self);
    }
    jobject kept = (*env)->PopLocalFrame(env, (*env)->NewLocalRef(env, o));
    say("kept %d", (*env)->IsSameObject(env, kept, o));
    say("EnsureLocalCapacity %d %d", (*env)->EnsureLocalCapacity(env, 500), (*env)->EnsureLocalCapacity(env, -1));
    (*env)->DeleteGlobalRef(env, global);
    (*env)->DeleteWeakGlobalRef(env, weak);
    (*env)->DeleteGlobalRef(env, NULL);
    (*env)->DeleteLocalRef(env, NULL);
}

static jint JNICALL registered(JNIEnv *env, jclass self, jint x) {
    (void)env, (void)self;
    return x * 3;
}

JNIEXPORT void JNICALL Java_JniFunctions_registration(JNIEnv *env, jclass self) {
    JNINativeMethod good[] = {{"triple", "(I)I", (void *)registered}};
    say("RegisterNatives %d", (*env)->RegisterNatives(env, self, good, 1));
    JNINativeMethod unknown[] = {{"noSuchNameAnywhereAtAll", "(I)I", (void *)registered}};
    say("unknown %d", (*env)->RegisterNatives(env, self, unknown, 1));
    caught(env, "unknown");
    JNINativeMethod other[] = {{"triple", "(J)V", (void *)registered}};
    say("other %d", (*env)->RegisterNatives(env, self, other, 1));
    caught(env, "other signature");
    JNINativeMethod java[] = {{"main", "([Ljava/lang/String;)V", (void *)registered}};
    say("java %d", (*env)->RegisterNatives(env, self, java, 1));
    caught(env, "not native");
}

JNIEXPORT void JNICALL Java_JniFunctions_monitors(JNIEnv *env, jclass self, jobject o) {
    say("MonitorExit %d", (*env)->MonitorExit(env, o));
    caught(env, "not the owner");
    say("MonitorEnter %d %d", (*env)->MonitorEnter(env, o), (*env)->MonitorEnter(env, o));
    jclass thread = (*env)->FindClass(env, "java/lang/Thread");
    jmethodID holds = (*env)->GetStaticMethodID(env, thread, "holdsLock", "(Ljava/lang/Object;)Z");
    say("holds %d", (*env)->CallStaticBooleanMethod(env, thread, holds, o));
    say("MonitorExit %d %d", (*env)->MonitorExit(env, o), (*env)->MonitorExit(env, o));
    say("holds %d", (*env)->CallStaticBooleanMethod(env, thread, holds, o));
    say("null %d", (*env)->MonitorEnter(env, NULL));
    caught(env, "monitor of null");
    (void)self;
}

JNIEXPORT jobject JNICALL Java_JniFunctions_buffers(JNIEnv *env, jclass self, jobject direct, jobject on_heap) {
    static char memory[64] = "direct memory";
    jobject b = (*env)->NewDirectByteBuffer(env, memory, sizeof memory);
    say("address %d capacity %lld", (*env)->GetDirectBufferAddress(env, b) == memory,
        (long long)(*env)->GetDirectBufferCapacity(env, b));
    ((char *)(*env)->GetDirectBufferAddress(env, direct))[0] = 42;
    say("capacity %lld", (long long)(*env)->GetDirectBufferCapacity(env, direct));
    say("on the heap %p %lld", (*env)->GetDirectBufferAddress(env, on_heap),
        (long long)(*env)->GetDirectBufferCapacity(env, on_heap));
    (void)self;
    return b;
}

/* Twenty arguments, so that some lie on the stack on every processor. */
JNIEXPORT jstring JNICALL Java_JniFunctions_manyArguments(
    JNIEnv *env, jobject self, jint a, jlong b, jfloat c, jdouble d, jbyte e, jshort f, jchar g, jboolean h, jobject i,
    jint j, jlong k, jfloat l, jdouble m, jdouble n, jdouble o, jdouble p, jdouble q, jdouble r, jint s, jbyte t) {
    char text[400];
    const char *chars = (*env)->GetStringUTFChars(env, i, NULL);
    snprintf(text, sizeof text, "%d %lld %g %g %d %d %d %d %s %d %lld %g %g %g %g %g %g %g %d %d", a, (long long)b, c, d,
             e, f, g, h, chars, j, (long long)k, l, m, n, o, p, q, r, s, t);
    (*env)->ReleaseStringUTFChars(env, i, chars);
    (void)self;
    return (*env)->NewStringUTF(env, text);
}

JNIEXPORT jboolean JNICALL Java_JniFunctions_negate(JNIEnv *env, jclass self, jboolean x) {
    (void)env, (void)self;
    return !x;
}

JNIEXPORT jlong JNICALL Java_JniFunctions_overloaded__J(JNIEnv *env, jclass self, jlong x) {
    (void)env, (void)self;
    return x + 1;
}

JNIEXPORT jint JNICALL Java_JniFunctions_overloaded__I(JNIEnv *env, jclass self, jint x) {
    (void)env, (void)self;
    return x - 1;
}

JNIEXPORT jint JNICALL Java_JniFunctions_with_1underscore(JNIEnv *env, jclass self) {
    (void)env, (void)self;
    return 77;
}
