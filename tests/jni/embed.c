/* An embedder of the VM that gives the options "exit", "abort" and "vfprintf" and says when they are
 * called. Arguments: the library, and what to do. */
#include <dlfcn.h>
#include <jni.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_exit_hook(jint code) {
    printf("exit hook: %d\n", (int)code);
    fflush(stdout);
    _Exit(40 + code);
}

static void on_abort_hook(void) {
    printf("abort hook\n");
    fflush(stdout);
    _Exit(50);
}

static jint on_vfprintf(FILE *file, const char *format, va_list args) {
    char text[4096];
    int length = vsnprintf(text, sizeof text, format, args);
    printf("%s hook: %s", file == stderr ? "stderr" : "stdout", text);
    fflush(stdout);
    return length;
}

static void call_static(JNIEnv *env, const char *class_name, const char *method, jint argument) {
    jclass class = (*env)->FindClass(env, class_name);
    jmethodID id = (*env)->GetStaticMethodID(env, class, method, "(I)V");
    (*env)->CallStaticVoidMethod(env, class, id, argument);
}

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[2] : "";
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    jint (*create)(JavaVM **, void **, void *) = (jint(*)(JavaVM **, void **, void *))dlsym(library, "JNI_CreateJavaVM");
    JavaVMOption options[] = {
        {"vfprintf", (void *)on_vfprintf},
        {"exit", (void *)on_exit_hook},
        {"abort", (void *)on_abort_hook},
        {"-Xshare:auto", NULL},
    };
    if (strcmp(what, "warning") == 0) options[3].optionString = "-XX:+UseParallelOldGC";
    if (strcmp(what, "bad-option") == 0) options[3].optionString = "-XX:NoSuchFlag";
    JavaVMInitArgs args = {JNI_VERSION_10, 4, options, JNI_FALSE};
    JavaVM *vm;
    JNIEnv *env;
    jint created = create(&vm, (void **)&env, &args);
    printf("created: %d\n", (int)created);
    fflush(stdout);
    if (created != JNI_OK) return 2;
    if (strcmp(what, "exit") == 0) call_static(env, "java/lang/System", "exit", 3);
    if (strcmp(what, "halt") == 0) {
        jclass runtime = (*env)->FindClass(env, "java/lang/Runtime");
        jmethodID get = (*env)->GetStaticMethodID(env, runtime, "getRuntime", "()Ljava/lang/Runtime;");
        jobject object = (*env)->CallStaticObjectMethod(env, runtime, get);
        (*env)->CallVoidMethod(env, object, (*env)->GetMethodID(env, runtime, "halt", "(I)V"), 4);
    }
    if (strcmp(what, "fatal") == 0) (*env)->FatalError(env, "the embedder wants it so");
    printf("destroyed: %d\n", (int)(*vm)->DestroyJavaVM(vm));
    return 0;
}
