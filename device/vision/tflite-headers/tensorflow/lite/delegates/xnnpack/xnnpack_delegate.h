/* The XNNPACK delegate of TensorFlow Lite 2.17, as far as tflitec uses it. The options are 32 bytes in this library. */
#ifndef MOODBOX_XNNPACK_DELEGATE_H_
#define MOODBOX_XNNPACK_DELEGATE_H_

#include "tensorflow/lite/c/c_api.h"

typedef struct TfLiteXNNPackDelegateOptions {
  int32_t num_threads;
  uint32_t flags;
  void* weights_cache;
  bool handle_variable_ops;
  const char* weight_cache_file_path;
} TfLiteXNNPackDelegateOptions;

TfLiteXNNPackDelegateOptions TfLiteXNNPackDelegateOptionsDefault(void);
TfLiteDelegate* TfLiteXNNPackDelegateCreate(const TfLiteXNNPackDelegateOptions* options);
void TfLiteXNNPackDelegateDelete(TfLiteDelegate* delegate);

#endif
