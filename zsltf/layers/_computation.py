"""Whether a SavedModel computes and does nothing else: a graph is a program, which may read and write files."""

from collections.abc import Iterator
from typing import Any

from zsltf.checks import fail

__all__ = ["check_computation"]

_OPERATIONS = frozenset(
    """
    Assert AssignAddVariableOp AssignSubVariableOp AssignVariableOp Bitcast BroadcastArgs BroadcastTo Case Cast
    CheckNumerics Const EnsureShape Fill Identity IdentityN If NoOp OnesLike PartitionedCall Placeholder
    PlaceholderWithDefault PreventGradient Range Rank ReadVariableOp Shape ShapeN Size StatefulPartitionedCall
    StatelessCase StatelessIf StatelessWhile StopGradient VarHandleOp While ZerosLike

    BatchToSpaceND Concat ConcatV2 DepthToSpace ExpandDims Gather GatherNd GatherV2 InvertPermutation LinSpace
    MatrixBandPart MatrixDiagPartV3 MatrixDiagV3 MatrixSetDiagV3 MirrorPad OneHot Pack Pad PadV2 Reshape ResourceGather
    ReverseV2 Roll ScatterNd Select SelectV2 Slice SpaceToBatchND SpaceToDepth Split SplitV Squeeze StridedSlice
    TensorListFromTensor TensorListGetItem TensorListReserve TensorListSetItem TensorListStack TensorScatterAdd
    TensorScatterUpdate Tile TopKV2 Transpose Unpack Where

    Abs Acos Add AddN AddV2 All Any ArgMax ArgMin Asin Atan Atan2 Ceil ClipByValue Cos Cosh Cumprod Cumsum Div DivNoNan
    Equal Erf Erfc Exp Expm1 Floor FloorDiv FloorMod Greater GreaterEqual Inv IsFinite IsInf IsNan L2Loss Less LessEqual
    Log Log1p LogicalAnd LogicalNot LogicalOr Max Maximum Mean Min Minimum Mod Mul MulNoNan Neg NotEqual Pow Prod
    RealDiv Reciprocal Rint Round Rsqrt Sigmoid Sign Sin Sinh Sqrt Square SquaredDifference Sub Sum Tan Tanh Xdivy Xlogy

    AvgPool BatchMatMul BatchMatMulV2 BatchMatMulV3 BiasAdd Conv2D Conv2DBackpropInput CropAndResize
    DepthwiseConv2dNative Dilation2D Einsum Elu FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars
    FakeQuantWithMinMaxVarsPerChannel FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 LRN LeakyRelu LogSoftmax MatMul
    MaxPool MaxPoolV2 Relu Relu6 ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor Selu Softmax Softplus
    Softsign

    Multinomial RandomStandardNormal RandomUniform RandomUniformInt StatelessRandomGetAlg StatelessRandomGetKeyCounter
    StatelessRandomNormalV2 StatelessRandomUniform StatelessRandomUniformFullIntV2 StatelessRandomUniformIntV2
    StatelessRandomUniformV2 StatelessTruncatedNormalV2 TruncatedNormal
    """.split()  # noqa: SIM905 (a list literal would fill a page)
)
_FIX = "Export one function of images that returns one tensor, with TensorFlow 2 and without text, tables or files."


def check_computation(content: bytes) -> None:
    """Refuse a saved_model.pb that can't be called, or whose functions read text, files, tables or anything outside.

    Raises:
        ValueError: naming what was found.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    try:
        graphs = SavedModel.FromString(content).meta_graphs
    except DecodeError as error:
        fail("SavedModel", "a saved_model.pb", f"a damaged one ({error})", "Export it again.")
    if len(graphs) != 1 or not graphs[0].object_graph_def.nodes:
        fail("SavedModel", "one of TensorFlow 2", "one of TensorFlow 1", _FIX)
    objects = graphs[0].object_graph_def.nodes
    if any(node.WhichOneof("kind") in ("resource", "asset") for node in objects):
        fail("SavedModel", "variables and functions only", "a table or a file", _FIX)
    library = graphs[0].graph_def.library
    functions = {function.signature.name: function for function in library.function}
    for operation in _operations(
        functions, [*_entries(objects), *(g.gradient_func for g in library.registered_gradients)]
    ):
        if operation not in _OPERATIONS:
            fail("SavedModel", "operations that are known to compute only", f"'{operation}'", _FIX)


def _entries(objects: Any) -> Iterator[str]:
    """Names of the functions that the objects hold, but for those that save and restore."""
    for node in objects:
        for child in node.children:
            inner = objects[child.node_id]
            yield from inner.function.concrete_functions
            yield from filter(None, [inner.bare_concrete_function.concrete_function_name])


def _operations(functions: dict[str, Any], names: list[str]) -> Iterator[str]:
    """Each operation of these functions and of those that they call."""
    queue = dict.fromkeys(names)
    seen = set()
    while queue:
        name, _ = queue.popitem()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for node in functions[name].node_def:
            if node.op in functions:
                queue[node.op] = None
            else:
                yield node.op
            for value in node.attr.values():
                queue |= dict.fromkeys(function.name for function in (value.func, *value.list.func) if function.name)
