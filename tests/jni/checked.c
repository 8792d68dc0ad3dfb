/* Mistakes that -Xcheck:jni tells of: one a call, by its number. */
#include <jni.h>
#include <stdlib.h>
#include <string.h>

/* The number of cases, for the Java side. */
enum { CASES = 28 };

JNIEXPORT jint JNICALL Java_CheckedJni_cases(JNIEnv *env, jclass self) {
  return CASES;
}

JNIEXPORT void JNICALL Java_CheckedJni_run(JNIEnv *env, jclass self, jint number, jobject object, jintArray ints,
                                           jobjectArray objects, jstring text) {
  jclass thread = (*env)->FindClass(env, "java/lang/Thread");
  jclass string = (*env)->FindClass(env, "java/lang/String");
  jmethodID current = (*env)->GetStaticMethodID(env, thread, "currentThread", "()Ljava/lang/Thread;");
  jmethodID length = (*env)->GetMethodID(env, string, "length", "()I");
  jfieldID number_field = (*env)->GetFieldID(env, self, "number", "I");
  jfieldID count_field = (*env)->GetStaticFieldID(env, self, "count", "I");
  jmethodID fail = (*env)->GetStaticMethodID(env, self, "fail", "()V");
  jvalue none[1];
  jint buffer[4];
  switch (number) {
    case 0: /* nothing wrong */
      (*env)->CallStaticObjectMethod(env, thread, current);
      (*env)->ExceptionCheck(env);
      (*env)->SetIntField(env, object, number_field, 5);
      (*env)->SetStaticIntField(env, self, count_field, (*env)->GetIntField(env, object, number_field));
      break;
    case 1:
      (*env)->CallStaticObjectMethodA(env, thread, current, none);
      (*env)->GetVersion(env);
      break;
    case 2:
      (*env)->CallIntMethod(env, text, length);
      (*env)->CallNonvirtualIntMethod(env, text, string, length);
      (*env)->GetArrayLength(env, ints);
      break;
    case 3:
      (*env)->CallStaticVoidMethod(env, self, fail);
      (*env)->ExceptionOccurred(env);
      (*env)->GetStringLength(env, text);
      (*env)->ExceptionClear(env);
      break;
    case 4: (*env)->GetStringLength(env, object); break;
    case 5: (*env)->GetArrayLength(env, text); break;
    case 6: (*env)->GetObjectArrayElement(env, ints, 0); break;
    case 7: (*env)->GetLongArrayRegion(env, ints, 0, 1, (jlong *)buffer); break;
    case 8: (*env)->GetIntArrayElements(env, objects, 0); break;
    case 9: (*env)->CallIntMethod(env, object, length); break;
    case 10: (*env)->CallStaticIntMethod(env, string, (jmethodID)0); break;
    case 11: (*env)->GetObjectClass(env, (jobject)16); break;
    case 12: (*env)->GetLongField(env, object, number_field); break;
    case 13: (*env)->GetIntField(env, object, count_field); break;
    case 14: (*env)->GetStaticLongField(env, self, count_field); break;
    case 15: (*env)->GetStaticIntField(env, string, count_field); break;
    case 16: (*env)->GetIntField(env, 0, number_field); break;
    case 17: (*env)->FindClass(env, "Ljava/lang/Thread;"); break;
    case 18: {
      jobject twice = (*env)->NewLocalRef(env, text);
      (*env)->DeleteLocalRef(env, twice);
      (*env)->DeleteLocalRef(env, twice);
      break;
    }
    case 19: (*env)->ThrowNew(env, string, "text"); break;
    case 20: (*env)->GetSuperclass(env, text); break;
    case 21: (*env)->DeleteGlobalRef(env, text); break;
    case 22: (*env)->DeleteLocalRef(env, (*env)->NewGlobalRef(env, text)); break;
    case 23: (*env)->PushLocalFrame(env, -1); break;
    case 24: {
      /* Written through the end of what was given. */
      jint *p = (*env)->GetIntArrayElements(env, ints, 0);
      p[(*env)->GetArrayLength(env, ints)] = 1;
      (*env)->ReleaseIntArrayElements(env, ints, p, 0);
      break;
    }
    case 25: {
      const char *p = (*env)->GetStringUTFChars(env, text, 0);
      (*env)->ReleaseStringChars(env, text, (const jchar *)p);
      break;
    }
    case 26: {
      /* Another function in a critical region; what is written arrives. */
      jint *p = (*env)->GetPrimitiveArrayCritical(env, ints, 0);
      p[0] = 77;
      (*env)->GetVersion(env);
      (*env)->ReleasePrimitiveArrayCritical(env, ints, p, 0);
      (*env)->GetIntArrayRegion(env, ints, 0, 1, buffer);
      (*env)->SetStaticIntField(env, self, count_field, buffer[0]);
      break;
    }
    case 27: {
      /* Copied back, then kept, then dropped. */
      jint *p = (*env)->GetIntArrayElements(env, ints, 0);
      p[0] = 78;
      (*env)->ReleaseIntArrayElements(env, ints, p, JNI_COMMIT);
      p[0] = 79;
      (*env)->ReleaseIntArrayElements(env, ints, p, JNI_ABORT);
      (*env)->GetIntArrayRegion(env, ints, 0, 1, buffer);
      (*env)->SetStaticIntField(env, self, count_field, buffer[0]);
      break;
    }
  }
}
