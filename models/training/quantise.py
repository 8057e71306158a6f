"""From a TensorFlow function to TensorFlow Lite, and the checks every file has to pass before it is written."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils


def to_int8(module: tf.Module, function, samples: Iterable[np.ndarray]) -> bytes:
    """Quantise to int8 in, out and inside; `samples` are normalised inputs and set every range."""
    samples = list(samples)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample.astype(np.float32)] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def to_dynamic_range(module: tf.Module, function) -> bytes:
    """Quantise the weights to int8; activations stay float32 and are quantised by each layer for its own sums."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def to_float(module: tf.Module, function) -> bytes:
    """The same graph in float32."""
    return tf.lite.TFLiteConverter.from_concrete_functions([function], module).convert()


def to_half(module: tf.Module, function) -> bytes:
    """The same graph in float32 with its weights stored in float16: half the bytes, and still far finer than int8."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def in_order(model: bytes, names_by_channels: dict[int, str]) -> bytes:
    """With its outputs in the order of the names; the converter has its own."""
    content = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    graph, order = content.subgraphs[0], list(names_by_channels)
    graph.outputs = sorted(graph.outputs, key=lambda index: order.index(int(graph.tensors[index].shape[-1])))
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


class Runner:
    """A TFLite model on normalised float inputs; quantises on the way in and dequantises on the way out."""

    def __init__(self, model: bytes, names_by_channels: dict[int, str]):
        self._interpreter = tf.lite.Interpreter(model_content=model, num_threads=1)
        self._names = names_by_channels
        self._allocated = None

    def __call__(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Run one batch `image` [n, h, w, c]; returns the outputs by name."""
        source = self._interpreter.get_input_details()[0]
        if self._allocated != image.shape:
            self._interpreter.resize_tensor_input(source["index"], image.shape)
            self._interpreter.allocate_tensors()
            self._allocated = image.shape
        self._interpreter.set_tensor(source["index"], _quantised(image, source))
        self._interpreter.invoke()
        outputs = {}
        for detail in self._interpreter.get_output_details():
            value = self._interpreter.get_tensor(detail["index"])
            outputs[self._names[value.shape[-1]]] = _dequantised(value, detail)
        return outputs


def _quantised(values: np.ndarray, detail: dict) -> np.ndarray:
    if detail["dtype"] == np.float32:
        return values.astype(np.float32)
    scale, zero_point = detail["quantization"]
    return np.clip(np.round(values / scale + zero_point), -128, 127).astype(np.int8)


def _dequantised(values: np.ndarray, detail: dict) -> np.ndarray:
    if detail["dtype"] == np.float32:
        return values
    scale, zero_point = detail["quantization"]
    return (values.astype(np.float32) - zero_point) * scale


def require_one_partition(name: str, model: bytes, shape: Iterable[int]) -> None:
    """Refuse a model that XNNPACK does not take whole: every cut costs two copies and a slow reference kernel."""
    interpreter = tf.lite.Interpreter(model_content=model, num_threads=1)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], list(shape))
    interpreter.allocate_tensors()
    nodes = interpreter._get_ops_details()  # noqa: SLF001: the only view of the plan that Python offers
    delegates = [node for node in nodes if node["op_name"] == "DELEGATE"]
    begins, ends = ({detail["index"] for detail in details} for details in (interpreter.get_input_details(), interpreter.get_output_details()))
    # A delegate that covers everything reads the model's inputs and writes its outputs and nothing else.
    if len(delegates) != 1 or not begins <= set(delegates[0]["inputs"]) or set(delegates[0]["outputs"]) != ends:
        rest = sorted({node["op_name"] for node in nodes} - {"DELEGATE"})
        raise SystemExit(f"{name}: XNNPACK takes {len(delegates)} parts instead of the whole graph; operators: {rest}")


def operators(model: bytes) -> list[str]:
    """The operators of the model in order, before any delegate."""
    interpreter = tf.lite.Interpreter(
        model_content=model,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    return [node["op_name"] for node in interpreter._get_ops_details()]  # noqa: SLF001
