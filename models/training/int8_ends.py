"""Gives a TensorFlow Lite model of float tensors int8 pixels in and int8 outputs.

The runtime then feeds and reads such a model like one that is int8 throughout. The converter puts such ends only on
models that are; here the operators QUANTIZE and DEQUANTIZE are added to the file itself.
"""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from mtcnn_networks import INPUT_SCALE, INPUT_ZERO_POINT

Range = tuple[float, float]


def with_int8_ends(model: bytes, ranges: dict[int, Range]) -> bytes:
    """`model` with int8 input and outputs; `ranges` holds least and largest value by an output's channels."""
    content = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    graph = content.subgraphs[0]
    replaced = {}
    for index in graph.inputs:
        replaced[index] = _add_tensor(graph, index, INPUT_SCALE, INPUT_ZERO_POINT)
        # The second version is the first that reads int8.
        code = _add_code(content, schema.BuiltinOperator.DEQUANTIZE, version=2)
        graph.operators.insert(0, _operator(code, replaced[index], index))
    for index in graph.outputs:
        replaced[index] = _add_tensor(graph, index, *_scale(*ranges[int(graph.tensors[index].shape[-1])]))
        code = _add_code(content, schema.BuiltinOperator.QUANTIZE, version=1)
        graph.operators.append(_operator(code, index, replaced[index]))
    graph.inputs = [replaced[index] for index in graph.inputs]
    graph.outputs = [replaced[index] for index in graph.outputs]
    for signature in content.signatureDefs or []:
        for end in [*signature.inputs, *signature.outputs]:
            end.tensorIndex = replaced[end.tensorIndex]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


def _scale(least: float, largest: float) -> tuple[float, int]:
    # TensorFlow Lite wants 0 to be one of the steps: without it, the zero point would not fit into int8.
    least, largest = min(least, 0.0), max(largest, 0.0)
    scale = float(np.float32((largest - least) / 255))
    return scale, round(-128 - least / scale)


def _add_tensor(graph, like: int, scale: float, zero_point: int) -> int:
    source = graph.tensors[like]
    tensor = schema.TensorT()
    tensor.shape, tensor.shapeSignature = source.shape, source.shapeSignature
    tensor.name = source.name + b"_int8"
    tensor.type = schema.TensorType.INT8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _add_code(content, operator: int, version: int) -> int:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = operator
    code.version = version
    content.operatorCodes.append(code)
    return len(content.operatorCodes) - 1


def _operator(code: int, source: int, target: int):
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, [source], [target]
    return operator
