/* A program with signal handlers of its own that embeds a VM: signals LIBJVM before|after|once [OPTION...].
 * "before": its handlers are there first, "after": they come later (libjsig is to be preloaded), "once": before, and
 * each is to be called once. Then it gets the signals that the VM handles too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <jni.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGPIPE, SIGXFSZ};
static const char *const names[] = {"SEGV", "BUS", "ILL", "FPE", "PIPE", "XFSZ"};
#define COUNT ((int)(sizeof numbers / sizeof *numbers))

static volatile sig_atomic_t plain[NSIG], informed[NSIG], masked[NSIG];

static int is_blocked(int signal) {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  return sigismember(&now, signal);
}

static void on_plain(int signal) {
  plain[signal]++;
}

static void on_informed(int signal, siginfo_t *info, void *context) {
  if (info->si_signo == signal && info->si_pid == getpid() && context) informed[signal]++;
  masked[signal] = is_blocked(signal) * 2 + is_blocked(SIGUSR1);
}

static void install(int flags) {
  for (int i = 0; i < COUNT; i++) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    if (i % 2) {
      action.sa_sigaction = on_informed;
      action.sa_flags = SA_SIGINFO | flags;
      sigaddset(&action.sa_mask, SIGUSR1);
    } else {
      action.sa_handler = on_plain;
      action.sa_flags = flags;
    }
    sigaction(numbers[i], &action, NULL);
  }
}

/* Whether a null dereference in compiled code is still the VM's. */
static void run_java(JNIEnv *env) {
  jclass string = (*env)->FindClass(env, "java/lang/String");
  jmethodID compare = (*env)->GetMethodID(env, string, "compareTo", "(Ljava/lang/String;)I");
  jstring s = (*env)->NewStringUTF(env, "text");
  for (int i = 0; i < 20000; i++) (*env)->CallIntMethod(env, s, compare, s);
  (*env)->CallIntMethod(env, s, compare, NULL);
  jthrowable e = (*env)->ExceptionOccurred(env);
  (*env)->ExceptionClear(env);
  printf("NullPointerException: %d\n",
         e && (*env)->IsInstanceOf(env, e, (*env)->FindClass(env, "java/lang/NullPointerException")));
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  int after = !strcmp(argv[2], "after"), once = !strcmp(argv[2], "once");
  if (!after) install(once ? SA_RESETHAND : 0);
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
  if (!library) return printf("%s\n", dlerror()), 1;
  jint (*create)(JavaVM **, void **, void *) = (jint(*)(JavaVM **, void **, void *))dlsym(library, "JNI_CreateJavaVM");
  JavaVMOption options[8];
  int n = 0;
  for (int i = 3; i < argc; i++) options[n++].optionString = argv[i];
  JavaVMInitArgs args = {JNI_VERSION_1_8, n, options, JNI_FALSE};
  JavaVM *vm;
  JNIEnv *env;
  if (create(&vm, (void **)&env, &args) != JNI_OK) return printf("no VM\n"), 1;
  if (after) install(0);
  run_java(env);
  for (int round = 0; round < (once ? 1 : 2); round++) {
    for (int i = 0; i < COUNT; i++) {
      kill(getpid(), numbers[i]);
      int s = numbers[i];
      printf("%s: plain %d informed %d masked %d, blocked afterwards %d\n", names[i], (int)plain[s], (int)informed[s],
             (int)masked[s], is_blocked(s));
    }
  }
  (*vm)->DestroyJavaVM(vm);
  printf("end\n");
  return 0;
}
