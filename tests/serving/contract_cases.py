"""TensorFlow Serving's public contract as plain data (no server code, nothing copied).

How to read a case
  REST  : name, source, model, method, path ({model} = the served name of MODELS[model]),
          body (str or None), status (int) and ONE OF
            answer          exact JSON value
            error           exact value of {"error": ...}
            error_contains  substring of it
            tokens          number tokens, in order, exactly as written in the reply text (formatting)
            empty_body      the reply has no bytes
            not_json        reply is the HTTP library's own page; only the status counts
          optional: headers (request), answer_headers (must be present), needs (server flag), gzip (harness
          compresses body), note.  A comment `derived` = from reading the .cc, not asserted by one of their tests
          (their tests mostly assert SUBSTRINGS; full text always comes from the .cc).
  GRPC  : name, source, service, rpc, model, request (dict), code, and message | message_contains | answer.
Pinned commits read (github tensorflow/serving):
  b6b8cca6540b (about 2022) json_tensor.cc/_test, http_rest_api_handler.cc, http_rest_api_util.cc, server_core.cc,
     predict_util.cc, regressor.cc, util.cc, multi_inference.cc, server.cc, batching_session.cc, saved_model_warmup_util.cc
  73bcf5200873 (about 2023) http_server.cc, classifier.cc, get_model_metadata_impl.cc, json_tensor.cc (writer half: identical)
  49ac8acb5029 http_rest_api_handler_test.cc, get_model_status_impl.cc; 21360c763767 http_rest_api_util_test.cc,
     get_model_status_impl_test.cc; e8be1a742c39 predict_util_test.cc; 4ce9c6b98753 classification/regression_service_test.cc
Inner status names inside messages ("Error: INVALID_ARGUMENT: ...") are the spelling since TF 2.7
("Invalid argument: ..." before); seen in a 2022 report: qiaoguan/deep-ctr-prediction issue 22.
"""

nan, inf = float("nan"), float("inf")

JT = "tensorflow_serving/util/json_tensor_test.cc: "
JC = "tensorflow_serving/util/json_tensor.cc: "
HT = "tensorflow_serving/model_servers/http_rest_api_handler_test.cc: "
HC = "tensorflow_serving/model_servers/http_rest_api_handler.cc: "
HU = "tensorflow_serving/model_servers/http_rest_api_util.cc: "
HUT = "tensorflow_serving/model_servers/http_rest_api_util_test.cc: "
HS = "tensorflow_serving/model_servers/http_server.cc: "
MS = "tensorflow_serving/model_servers/get_model_status_impl.cc: "
MST = "tensorflow_serving/model_servers/get_model_status_impl_test.cc: "
SC = "tensorflow_serving/model_servers/server_core.cc: "
SCT = "tensorflow_serving/model_servers/server_core_test.cc: "
PU = "tensorflow_serving/servables/tensorflow/predict_util.cc: "
PUT = "tensorflow_serving/servables/tensorflow/predict_util_test.cc: "
CL = "tensorflow_serving/servables/tensorflow/classifier.cc: "
CLT = "tensorflow_serving/servables/tensorflow/classifier_test.cc: "
CST = "tensorflow_serving/servables/tensorflow/classification_service_test.cc: "
RG = "tensorflow_serving/servables/tensorflow/regressor.cc: "
RGT = "tensorflow_serving/servables/tensorflow/regressor_test.cc: "
RST = "tensorflow_serving/servables/tensorflow/regression_service_test.cc: "
UT = "tensorflow_serving/servables/tensorflow/util.cc: "
MI = "tensorflow_serving/servables/tensorflow/multi_inference.cc: "
MIT = "tensorflow_serving/servables/tensorflow/multi_inference_helper_test.cc: "
MD = "tensorflow_serving/servables/tensorflow/get_model_metadata_impl.cc: "
MDT = "tensorflow_serving/servables/tensorflow/get_model_metadata_impl_test.cc: "
MSV = "tensorflow_serving/model_servers/model_service_impl.cc: "
MSRV = "tensorflow_serving/model_servers/tensorflow_model_server_test.py: "
BM = "tensorflow_serving/core/basic_manager.cc + core/manager.h: "
TFT = "tensorflow/core/framework/tensor.cc (tensorflow/tensorflow): "

# ---------------------------------------------------------------------------------------------------------------
# Models.  Unless stated: version 1 only, one signature "serving_default", method tensorflow/serving/predict,
# every shape unknown rank (the graph accepts any shape).
# ---------------------------------------------------------------------------------------------------------------
MODELS = {
    "half_plus_two": {
        "versions": [123],
        "labels": {"Version_Label": 123},
        "signatures": {
            "serving_default": {
                "method": "predict",
                "inputs": {"x": ("float32", [-1, 1])},
                "outputs": {"y": ("float32", [-1, 1])},
                "fn": "y = 0.5*x + 2 (any shape fed is accepted)",
            },
            "regress_x_to_y": {
                "method": "regress",
                "inputs": {"inputs": ("string", None)},
                "outputs": {"outputs": ("float32", [-1, 1])},
                "fn": "tf.Example float feature x, size 1: 0.5*x + 2",
            },
            "regress_x_to_y2": {
                "method": "regress",
                "inputs": {"inputs": ("string", None)},
                "outputs": {"outputs": ("float32", [-1, 1])},
                "fn": "tf.Example feature x: 0.5*x + 3",
            },
            "regress_x2_to_y3": {
                "method": "regress",
                "inputs": {"inputs": ("float32", [-1, 1])},
                "outputs": {"outputs": ("float32", [-1, 1])},
                "fn": "0.5*inputs + 3 (a plain float tensor)",
            },
            "classify_x_to_y": {
                "method": "classify",
                "inputs": {"inputs": ("string", None)},
                "outputs": {"scores": ("float32", [-1, 1])},
                "fn": "tf.Example feature x: scores = 0.5*x + 2, no classes",
            },
            "classify_x2_to_y3": {
                "method": "classify",
                "inputs": {"inputs": ("float32", [-1, 1])},
                "outputs": {"scores": ("float32", [-1, 1])},
                "fn": "0.5*inputs + 3 (a plain float tensor)",
            },
        },
    },
    "half_plus_two_2v": {
        "same_as": "half_plus_two",
        "versions": [123, 124],
        "version_policy": "specific 123 124",
        "labels": {"stable": 123, "canary": 124},
    },
    **{
        "ident_" + t: {"inputs": {"x": t}, "outputs": {"y": t}, "fn": "y = x"}
        for t in (
            "float32",
            "float64",
            "int8",
            "uint8",
            "int16",
            "uint16",
            "int32",
            "uint32",
            "int64",
            "uint64",
            "bool",
            "string",
            "float16",
        )
    },
    "ident_bytes": {"inputs": {"x": "string"}, "outputs": {"y_bytes": "string"}, "fn": "y_bytes = x"},
    "int_bytes_name": {
        "inputs": {"x": "int32"},
        "outputs": {"y_bytes": "int32"},
        "fn": "y_bytes = x (suffix, but not a string)",
    },
    "multi2": {
        "inputs": {"int_tensor": "int32", "str_tensor": "string"},
        "outputs": {"int_out": "int32", "str_out": "string"},
        "fn": "int_out = int_tensor, str_out = str_tensor",
    },
    "multi4": {
        "inputs": {"int_tensor": "int32", "str_tensor": "string", "float_tensor": "float32", "dbl_tensor": "float64"},
        "outputs": {"int_out": "int32", "str_out": "string", "float_out": "float32", "dbl_out": "float64"},
        "fn": "copies",
    },
    "outs5": {
        "inputs": {"x": "float32"},
        "outputs": {
            "double_scalar_tensor": "float64",
            "float_tensor": "float32",
            "int_tensor": "int32",
            "str_tensor": "string",
            "str_tensor_bytes": "string",
        },
        "fn": "constants whatever x is: double_scalar_tensor=[8,9]; float_tensor=[[1],[2]]; int_tensor=[[[1,2],[3,4],[5,6]],[[7,8],[9,0],[1,2]]]; str_tensor=[[foo,bar],[baz,bat]]; str_tensor_bytes=[[hello,world],[tf,serving]]",
    },
    "mismatch": {
        "inputs": {"x": "float32"},
        "outputs": {"int_tensor": "int32", "str_tensor": "string"},
        "fn": "constants: int_tensor=[[1,2,3],[4,5,6]], str_tensor=[[foo,bar,baz]]",
    },
    "scalar_out": {"inputs": {"x": "float32"}, "outputs": {"y": "float32"}, "fn": "y = sum of all of x, a scalar"},
    "zero_batch": {"inputs": {"x": "float32"}, "outputs": {"y": "int32"}, "fn": "y = int32 constant of shape [0, 2]"},
    "zero_batch2": {
        "inputs": {"x": "float32"},
        "outputs": {"a": "string", "b": "float32"},
        "fn": "constants of shape [0,1,2] and [0,3,4]",
    },
    "zero_and_one": {
        "inputs": {"x": "float32"},
        "outputs": {"a": "int32", "b": "string"},
        "fn": "constants of shape [0,2] and [1,2]",
    },
    "complex_out": {"inputs": {"x": "float32"}, "outputs": {"y": "complex64"}, "fn": "y = complex(x, 0)"},
    "half_out": {"inputs": {"x": "float32"}, "outputs": {"y": "float16"}, "fn": "y = cast(x)"},
    "nonfinite_regress": {
        "signatures": {
            "serving_default": {
                "method": "regress",
                "inputs": {"inputs": ("string", None)},
                "outputs": {"outputs": ("float32", [-1])},
                "fn": "outputs = the float feature 'output' (size 1) of each Example",
            }
        }
    },
    "classes": {
        "signatures": {
            "serving_default": {
                "method": "classify",
                "inputs": {"inputs": ("string", None)},
                "outputs": {"classes": ("string", [-1, -1]), "scores": ("float32", [-1, -1])},
                "fn": "classes = bytes feature 'class', scores = float feature 'score' (equal lengths)",
            },
            "classes_only": {
                "method": "classify",
                "outputs": {"classes": ("string", [-1, -1])},
                "fn": "as above without scores",
            },
            "scores_only": {
                "method": "classify",
                "outputs": {"scores": ("float32", [-1, -1])},
                "fn": "as above without classes",
            },
            "output_plus_one": {
                "method": "classify",
                "outputs": {"classes": ("string", [-1, -1]), "scores": ("float32", [-1, -1])},
                "fn": "scores + 1",
            },
            "rank3_scores": {
                "method": "classify",
                "outputs": {"classes": ("string", [-1, -1]), "scores": ("float32", None)},
                "fn": "scores of shape [batch, 2, 10]",
            },
            "float_classes": {
                "method": "classify",
                "outputs": {"classes": ("float32", [-1, -1]), "scores": ("float32", [-1, -1])},
                "fn": "classes are floats",
            },
            "one_row_classes": {
                "method": "classify",
                "outputs": {"classes": ("string", [1, 2]), "scores": ("float32", [-1, -1])},
                "fn": "classes always of shape [1,2]",
            },
            "one_row_scores": {
                "method": "classify",
                "outputs": {"classes": ("string", [-1, -1]), "scores": ("float32", [1, 2])},
                "fn": "scores always of shape [1,2]",
            },
            "wide_scores": {
                "method": "classify",
                "outputs": {"classes": ("string", [-1, 2]), "scores": ("float32", [-1, 3])},
                "fn": "scores have three columns, classes two",
            },
        }
    },
    "regressors": {
        "signatures": {
            "serving_default": {
                "method": "regress",
                "inputs": {"inputs": ("string", None)},
                "outputs": {"outputs": ("float32", [-1])},
                "fn": "float feature 'output'; shape [batch]",
            },
            "column": {
                "method": "regress",
                "outputs": {"outputs": ("float32", [-1, 1])},
                "fn": "'output' + 1; shape [batch,1]",
            },
            "rank3": {"method": "regress", "outputs": {"outputs": ("float32", None)}, "fn": "shape [batch,1,10]"},
            "one_row": {"method": "regress", "outputs": {"outputs": ("float32", [1])}, "fn": "always shape [1]"},
            "strings": {"method": "regress", "outputs": {"outputs": ("string", [-1])}, "fn": "strings"},
        }
    },
    "counter": {
        "versions": [123],
        "signatures": {
            "get_counter": {
                "method": "predict",
                "inputs": {},
                "outputs": {"output": ("float32", [])},
                "fn": "state, starts at 0",
            },
            "incr_counter": {
                "method": "predict",
                "inputs": {},
                "outputs": {"output": ("float32", [])},
                "fn": "state += 1",
            },
            "reset_counter": {
                "method": "predict",
                "inputs": {},
                "outputs": {"output": ("float32", [])},
                "fn": "state = 0",
            },
            "incr_counter_by": {
                "method": "predict",
                "inputs": {"delta": ("float32", [])},
                "outputs": {"output": ("float32", [])},
                "fn": "state += delta",
            },
        },
    },
}

REST = []
GRPC = []


def _r(name, source, model, body, status=200, method="POST", path="/v1/models/{model}:predict", **kw):
    REST.append(dict(name=name, source=source, model=model, method=method, path=path, body=body, status=status, **kw))


# ================================================================ predict, row form
_r(
    "row_unnamed_int_matrix",
    JT + "SingleUnnamedTensor",
    "ident_int32",
    '{"instances": [[1,2],[3,4],[5,6]]}',
    answer={"predictions": [[1, 2], [3, 4], [5, 6]]},
)
_r(
    "row_rank3",
    JT + "FromJsonSingleTensor",
    "ident_int32",
    '{"instances": [[[1,2],[3,4],[5,6]],[[7,8],[9,0],[1,2]]]}',
    answer={"predictions": [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 0], [1, 2]]]},
)
_r(
    "row_scalars",
    JT + "FromJsonSingleScalarTensor",
    "ident_int32",
    '{"instances": [1, 2, 3, 4, 5]}',
    answer={"predictions": [1, 2, 3, 4, 5]},
)
_r(
    "row_mixed_int_float_to_float",
    JT + "MixedInputForFloatTensor",
    "ident_float32",
    '{"instances": [1, 2.0, 3, 4, 5.003, 0.007, 0.0]}',
    tokens=["1.0", "2.0", "3.0", "4.0", "5.003", "0.007", "0.0"],
)
_r(
    "row_mixed_int_float_to_double",
    JT + "MixedInputForDoubleTensor",
    "ident_float64",
    '{"instances": [1.0, 2, 3, 4, 0.662, 0, 0.0]}',
    tokens=["1.0", "2.0", "3.0", "4.0", "0.662", "0.0", "0.0"],
)
_r(
    "row_named_single_input",
    JT + "SingleNamedTensorBase64 (shape rule)",
    "ident_int32",
    '{"instances": [{"x": [1,2]}, {"x": [3,4]}]}',
    answer={"predictions": [[1, 2], [3, 4]]},
)
_r(
    "row_named_two_inputs",
    JT + "MultipleNamedTensor",
    "multi2",
    '{"instances": [{"int_tensor": [[1,2],[3,4],[5,6]], "str_tensor": ["foo","bar"]}, {"int_tensor": [[7,8],[9,0],[1,2]], "str_tensor": ["baz","bat"]}]}',
    answer={
        "predictions": [
            {"int_out": [[1, 2], [3, 4], [5, 6]], "str_out": ["foo", "bar"]},
            {"int_out": [[7, 8], [9, 0], [1, 2]], "str_out": ["baz", "bat"]},
        ]
    },
)
_r(
    "row_named_four_inputs",
    JT + "MultipleNamedTensor",
    "multi4",
    '{"instances": [{"int_tensor": 1, "str_tensor": "a", "float_tensor": [1.0, 2.0], "dbl_tensor": [2.5]}, {"int_tensor": 2, "str_tensor": "b", "float_tensor": [2.0, 3], "dbl_tensor": [2.0]}]}',
    answer={
        "predictions": [
            {"int_out": 1, "str_out": "a", "float_out": [1.0, 2.0], "dbl_out": [2.5]},
            {"int_out": 2, "str_out": "b", "float_out": [2.0, 3.0], "dbl_out": [2.0]},
        ]
    },
)
_r(
    "row_keys_in_other_order",
    JC + "FillTensorMapFromInstancesList",
    "multi2",
    '{"instances": [{"str_tensor": "a", "int_tensor": 1}, {"int_tensor": 2, "str_tensor": "b"}]}',  # derived
    answer={"predictions": [{"int_out": 1, "str_out": "a"}, {"int_out": 2, "str_out": "b"}]},
)
_r(
    "row_nan_and_infinity_literals",
    JT + "MultipleNamedTensor, FromJsonSingleFloatTensorNonFinite",
    "ident_float32",
    '{"instances": [[NaN, Infinity], [3, -Infinity]]}',
    tokens=["NaN", "Infinity", "3.0", "-Infinity"],
)
_r(
    "row_all_outputs_of_five",
    JT + "FromJsonMultipleNamedTensors",
    "outs5",
    '{"instances": [0.0]}',
    answer={
        "predictions": [
            {
                "double_scalar_tensor": 8.0,
                "float_tensor": [1.0],
                "int_tensor": [[1, 2], [3, 4], [5, 6]],
                "str_tensor": ["foo", "bar"],
                "str_tensor_bytes": [{"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}],
            },
            {
                "double_scalar_tensor": 9.0,
                "float_tensor": [2.0],
                "int_tensor": [[7, 8], [9, 0], [1, 2]],
                "str_tensor": ["baz", "bat"],
                "str_tensor_bytes": [{"b64": "dGY="}, {"b64": "c2VydmluZw=="}],
            },
        ]
    },
    note="batch of the outputs need not equal the number of instances sent",
)
_r(
    "row_single_empty_list_element",
    JC + "GetDenseTensorShape, AddTensorValues",
    "ident_float32",
    '{"instances": [[]]}',
    answer={"predictions": [[]]},
)  # derived
_r(
    "row_two_empty_list_elements",
    JC + "AddInstanceItem",
    "ident_float32",
    '{"instances": [[], []]}',
    answer={"predictions": [[], []]},
)  # derived
_r(
    "row_zero_batch_output",
    JT + "FromJsonSingleZeroBatchTensor",
    "zero_batch",
    '{"instances": [1.0]}',
    answer={"predictions": []},
)
_r(
    "row_zero_batch_two_outputs",
    JT + "FromJsonMultipleZeroBatchTensors",
    "zero_batch2",
    '{"instances": [1.0]}',
    answer={"predictions": []},
)
_r(
    "row_unknown_top_level_keys_ignored",
    JC + "FillPredictRequestFromJson (only FindMember)",
    "ident_int32",
    '{"instances": [1], "comment": "hi", "examples": 3}',
    answer={"predictions": [1]},
)  # derived
_r(
    "row_duplicate_top_level_key_first_wins",
    JC + "FindMember",
    "ident_int32",
    '{"instances": [1], "instances": [2]}',
    answer={"predictions": [1]},
)  # derived (rapidjson keeps both, finds the first)
_r(
    "row_duplicate_key_in_object_first_wins",
    JC + "AddInstanceItem + " + TFT + "FromProtoField",
    "ident_int32",
    '{"instances": [{"x": 1, "x": 2}]}',
    answer={"predictions": [1]},  # derived
    note="both values are appended to int_val while the shape stays [1]; the surplus value is dropped",
)

# errors, row form
_r(
    "row_ragged_outer",
    JT + "SingleUnnamedTensorErrors",
    "ident_int32",
    '{"instances": [[1,2],[3,4],[5,6,7]]}',
    400,
    error="Failed to process element: 2 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 3",
)
_r(
    "row_ragged_rank",
    JT + "SingleUnnamedTensorErrors",
    "ident_int32",
    '{"instances": [[1,2],[3,4],[[5,6]]]}',
    400,
    error="Failed to process element: 2 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [2] but got: [1,2]",
)
_r(
    "row_scalar_then_list",
    JT + "SingleUnnamedTensorErrors",
    "ident_int32",
    '{"instances": [1, [1]]}',
    400,
    error="Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [] but got: [1]",
)
_r(
    "row_ragged_inside_one_element",
    JC + "FillTensorProto",
    "ident_int32",
    '{"instances": [[[1,2],[3]]]}',
    400,
    error="Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: Encountered list at unexpected size: 1 at level: 1 expected size: 2",
)  # derived
_r(
    "row_value_where_list_expected",
    JC + "FillTensorProto",
    "ident_int32",
    '{"instances": [[[1],2]]}',
    400,
    error="Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
)  # derived; the two numbers really are both 2
_r(
    "row_list_where_value_expected",
    JC + "FillTensorProto",
    "ident_int32",
    '{"instances": [[1,[2]]]}',
    400,
    error="Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: Encountered list at unexpected level: 1 expected < 1",
)  # derived
_r(
    "row_string_for_int_in_second_element",
    JT + "SingleUnnamedTensorErrors",
    "ident_int32",
    '{"instances": [[1,2],["a","b"]]}',
    400,
    error="Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: \"a\" Type: String is not of expected type: int32",
)
_r(
    "row_string_for_float",
    HT + "PredictRequestErrors",
    "half_plus_two",
    '{ "instances": ["x", "y"] }',
    400,
    error="Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: \"x\" Type: String is not of expected type: float",
)
_r(
    "row_named_shape_differs",
    JT + "MultipleNamedTensorErrors",
    "multi2",
    '{"instances": [{"int_tensor": [[1,2],[3,4],[5,6]], "str_tensor": ["foo","bar"]}, {"int_tensor": [[[7,8],[9,0],[1,2]]], "str_tensor": ["baz","bat"]}]}',
    400,
    error="Failed to process element: 1 key: int_tensor of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [3,2] but got: [1,3,2]",
)
_r(
    "row_named_size_differs",
    JT + "MultipleNamedTensorErrors",
    "multi2",
    '{"instances": [{"int_tensor": [[1,2],[3,4],[5,6],[7,8]], "str_tensor": ["foo","bar"]}, {"int_tensor": [[7,8],[9,0],[1,2]], "str_tensor": ["baz","bat"]}]}',
    400,
    error="Failed to process element: 1 key: int_tensor of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 8 but got: 6",
)
_r(
    "row_list_after_object",
    JT + "MultipleNamedTensorErrors",
    "multi2",
    '{"instances": [{"int_tensor": [1], "str_tensor": ["a"]}, [1, 20, 30]]}',
    400,
    error="Expecting object but got list at item 1 of input list",
)
_r(
    "row_number_after_object_says_list_too",
    JC + "FillTensorMapFromInstancesList",
    "multi2",
    '{"instances": [{"int_tensor": [1], "str_tensor": ["a"]}, 7]}',
    400,
    error="Expecting object but got list at item 1 of input list",
)  # derived
_r(
    "row_object_after_list",
    JT + "MultipleNamedTensorErrors",
    "ident_string",
    '{"instances": [["baz","bar"], {"x": ["baz","bat"]}]}',
    400,
    error="Expecting value/list but got object at item 1 of input list",
)
_r(
    "row_plain_list_for_two_inputs",
    JC + "FillTensorMapFromInstancesList",
    "multi2",
    '{"instances": [1, 2]}',
    400,
    error="instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map",
)  # derived
_r(
    "row_missing_key",
    JC + "FillTensorMapFromInstancesList",
    "multi2",
    '{"instances": [{"int_tensor": 1}]}',
    400,  # derived
    error="Failed to process element: 0 of 'instances' list. JSON object: {\n    \"int_tensor\": 1\n} keys must be equal to: int_tensor,str_tensor",
    note="before 2021: '... must only have keys: int_tensor,str_tensor'",
)
_r(
    "row_missing_key_in_second",
    JC + "FillTensorMapFromInstancesList",
    "multi2",
    '{"instances": [{"int_tensor": 1, "str_tensor": "a"}, {"str_tensor": "b"}]}',
    400,  # derived
    error='Failed to process element: 1 of \'instances\' list. JSON object: {\n    "str_tensor": "b"\n} keys must be equal to: int_tensor,str_tensor',
)
_r(
    "row_extra_key",
    JC + "AddInstanceItem; wording also in tensorflow/serving issue 1296",
    "ident_int32",
    '{"instances": [{"x": 1, "zzz": 2}]}',
    400,
    error="Failed to process element: 0 key: zzz of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named input: zzz",
)
_r(
    "row_wrong_name",
    JC + "AddInstanceItem; deep-ctr-prediction issue 22",
    "ident_int32",
    '{"instances": [{"age": [46.0]}]}',
    400,
    error="Failed to process element: 0 key: age of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named input: age",
)
_r(
    "row_empty_object",
    JC + "FillTensorMapFromInstancesList",
    "ident_int32",
    '{"instances": [{}]}',
    400,
    error="Failed to process element: 0 of 'instances' list. JSON object: {} keys must be equal to: x",
)  # derived
_r(
    "row_empty_instances",
    JC + "FillPredictRequestFromJson",
    "ident_int32",
    '{"instances": []}',
    400,
    error="JSON Value: {\n    \"instances\": []\n} No values in 'instances' array",
)  # derived
_r(
    "row_instances_is_object",
    JC + "FillPredictRequestFromJson",
    "ident_int32",
    '{"instances": {"x": 1}}',
    400,
    error='JSON Value: {\n    "instances": {\n        "x": 1\n    }\n} Expecting \'instances\' to be an list/array',
)  # derived ("Excepting" before 2019)
_r(
    "row_instances_is_number",
    JC + "FillPredictRequestFromJson",
    "ident_int32",
    '{"instances": 1}',
    400,
    error="JSON Value: {\n    \"instances\": 1\n} Expecting 'instances' to be an list/array",
)  # derived
_r(
    "row_scalar_output",
    JT + "FromJsonSingleTensorErrors",
    "scalar_out",
    '{"instances": [1.0, 2.0]}',
    400,
    error="Tensor name: y has no shape information ",
)  # trailing space is theirs
_r(
    "row_outputs_of_different_batch",
    JT + "FromJsonMultipleNamedTensorsErrors",
    "mismatch",
    '{"instances": [1.0]}',
    400,
    error_contains="has inconsistent batch size: ",
    note="which tensor is named depends on map order: 'Tensor name: str_tensor has inconsistent batch size: 1 expecting: 2' or 'Tensor name: int_tensor has inconsistent batch size: 2 expecting: 1'",
)
_r(
    "row_zero_batch_beside_one",
    JT + "FromJsonMultipleZeroBatchTensorsErrors",
    "zero_and_one",
    '{"instances": [1.0]}',
    400,
    error_contains="has inconsistent batch size: ",
)
_r(
    "row_complex_output",
    JT + "FromJsonSingleTensorErrors",
    "complex_out",
    '{"instances": [1.0, 2.0]}',
    400,
    error="Failed to write JSON value for tensor type: complex64",
)
_r(
    "row_half_output",
    JC + "AddSingleValueAndAdvance",
    "half_out",
    '{"instances": [1.0]}',
    400,
    error="Failed to write JSON value for tensor type: half",
)  # derived

# ================================================================ predict, column form
_r(
    "col_named_single",
    JT + "SingleUnnamedTensorColumnarFormat",
    "ident_int32",
    '{"inputs": {"x": [[[1,2],[3,4],[5,6]]]}}',
    answer={"outputs": [[[1, 2], [3, 4], [5, 6]]]},
)
_r(
    "col_unnamed_single",
    JT + "SingleUnnamedTensorColumnarFormat",
    "ident_int32",
    '{"inputs": [[[1,2],[3,4],[5,6]]]}',
    answer={"outputs": [[[1, 2], [3, 4], [5, 6]]]},
)
_r("col_scalar", JC + "FillTensorMapFromInputsMap", "ident_int32", '{"inputs": 5}', answer={"outputs": 5})  # derived
_r(
    "col_named_scalar", JC + "FillTensorMapFromInputsMap", "ident_int32", '{"inputs": {"x": 5}}', answer={"outputs": 5}
)  # derived
_r(
    "col_two_inputs_different_batch",
    JT + "MultipleNamedTensorColumnarFormat",
    "multi2",
    '{"inputs": {"int_tensor": [[[1,2],[3,4],[5,6]]], "str_tensor": ["foo","bar"]}}',
    answer={"outputs": {"int_out": [[[1, 2], [3, 4], [5, 6]]], "str_out": ["foo", "bar"]}},
)
_r(
    "col_b64_scalar_beside_list",
    JT + "MultipleNamedTensorColumnarFormat",
    "multi2",
    '{"inputs": {"int_tensor": [1], "str_tensor": {"b64": "aGVsbG8="}}}',
    answer={"outputs": {"int_out": [1], "str_out": "hello"}},
)
_r(
    "col_b64_unnamed",
    JC + "FillTensorMapFromInputsMap",
    "ident_bytes",
    '{"inputs": {"b64": "aGVsbG8="}}',
    answer={"outputs": {"b64": "aGVsbG8="}},
)  # derived
_r(
    "col_empty_list", JC + "GetDenseTensorShape", "ident_float32", '{"inputs": []}', answer={"outputs": []}
)  # derived (an empty tensor is legal here, not in row form)
_r(
    "col_extra_key_ignored",
    JC + "FillTensorMapFromInputsMap",
    "ident_int32",
    '{"inputs": {"x": [1], "zzz": [2]}}',
    answer={"outputs": [1]},
)  # derived: row form refuses this
_r(
    "col_duplicate_key_first_wins",
    JC + "FindMember",
    "ident_int32",
    '{"inputs": {"x": [1], "x": [2]}}',
    answer={"outputs": [1]},
)  # derived
_r(
    "col_all_outputs_of_five",
    JT + "FromJsonMultipleNamedTensors",
    "outs5",
    '{"inputs": [0.0]}',
    answer={
        "outputs": {
            "double_scalar_tensor": [8.0, 9.0],
            "float_tensor": [[1.0], [2.0]],
            "int_tensor": [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 0], [1, 2]]],
            "str_tensor": [["foo", "bar"], ["baz", "bat"]],
            "str_tensor_bytes": [
                [{"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}],
                [{"b64": "dGY="}, {"b64": "c2VydmluZw=="}],
            ],
        }
    },
)
_r(
    "col_outputs_of_different_batch_allowed",
    JC + "MakeColumnarFormatJsonFromTensors",
    "mismatch",
    '{"inputs": [1.0]}',
    answer={"outputs": {"int_tensor": [[1, 2, 3], [4, 5, 6]], "str_tensor": [["foo", "bar", "baz"]]}},
)  # derived
_r(
    "col_scalar_output", JC + "AddTensorValues", "scalar_out", '{"inputs": [1.0, 2.0]}', answer={"outputs": 3.0}
)  # derived
_r(
    "col_zero_batch_output",
    JC + "MakeColumnarFormatJsonFromTensors",
    "zero_batch",
    '{"inputs": [1.0]}',
    answer={"outputs": []},
)  # derived
_r(
    "col_missing_name",
    JC + "FillTensorMapFromInputsMap",
    "multi2",
    '{"inputs": {"int_tensor": [1]}}',
    400,
    error="Missing named input: str_tensor in 'inputs' object.",
)  # derived
_r(
    "col_empty_object",
    JC + "FillTensorMapFromInputsMap",
    "ident_int32",
    '{"inputs": {}}',
    400,
    error="Missing named input: x in 'inputs' object.",
)  # derived
_r(
    "col_plain_list_for_two_inputs",
    JC + "FillTensorMapFromInputsMap",
    "multi2",
    '{"inputs": [1, 2]}',
    400,
    error="inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map",
)  # derived
_r(
    "col_ragged",
    JC + "FillTensorProto",
    "ident_int32",
    '{"inputs": [[1,2],[3]]}',
    400,
    error="Encountered list at unexpected size: 1 at level: 1 expected size: 2",
)  # derived
_r(
    "col_value_where_list_expected",
    JC + "FillTensorProto",
    "ident_int32",
    '{"inputs": [[1,2],3]}',
    400,
    error="JSON Value: 3 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
)  # derived
_r(
    "col_list_where_value_expected",
    JC + "FillTensorProto",
    "ident_int32",
    '{"inputs": [1,[2]]}',
    400,
    error="Encountered list at unexpected level: 1 expected < 1",
)  # derived
_r(
    "col_null",
    JC + "AddValueToTensor",
    "ident_float32",
    '{"inputs": null}',
    400,
    error="JSON Value: null Type: Null is not of expected type: float",
)  # derived

# ================================================================ base64 and strings
_r(
    "b64_scalars_row",
    JT + "SingleUnnamedTensorBase64Scalars",
    "ident_string",
    '{"instances": [{"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}]}',
    answer={"predictions": ["hello", "world"]},
)
_r(
    "b64_lists_row",
    JT + "SingleUnnamedTensorBase64Lists",
    "ident_string",
    '{"instances": [[{"b64": "aGVsbG8="}], [{"b64": "d29ybGQ="}]]}',
    answer={"predictions": [["hello"], ["world"]]},
)
_r(
    "b64_named_row",
    JT + "SingleNamedTensorBase64",
    "ident_string",
    '{"instances": [{"x": [[{"b64": "aGVsbG8="}], [{"b64": "d29ybGQ="}]]}]}',
    answer={"predictions": [[["hello"], ["world"]]]},
)
_r(
    "b64_mixed_with_plain_strings",
    JC + "FillTensorProto",
    "ident_string",
    '{"instances": ["plain", {"b64": "aGVsbG8="}]}',
    answer={"predictions": ["plain", "hello"]},
)  # derived
_r(
    "bytes_suffix_output_is_b64",
    JT + "FromJsonSingleBytesTensor",
    "ident_bytes",
    '{"instances": [["hello","world"],["tf","serving"]]}',
    answer={"predictions": [[{"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}], [{"b64": "dGY="}, {"b64": "c2VydmluZw=="}]]},
)
_r(
    "bytes_suffix_output_of_plain_text_is_b64_too",
    JT + "FromJsonMultipleNamedTensors",
    "ident_bytes",
    '{"instances": ["hello"]}',
    answer={"predictions": [{"b64": "aGVsbG8="}]},
)
_r(
    "bytes_suffix_on_int_output_is_plain",
    JC + "IsNamedTensorBytes",
    "int_bytes_name",
    '{"instances": [1, 2]}',
    answer={"predictions": [1, 2]},
)  # derived
_r(
    "string_with_unicode_and_nul",
    JC + "AddValueToTensor (length kept)",
    "ident_string",
    '{"instances": ["\\u00e9\\u4e2d", "a\\u0000b", ""]}',
    answer={"predictions": ["\u00e9\u4e2d", "a\x00b", ""]},
)  # derived
_r(
    "b64_undecodable",
    JC + "JsonDecodeBase64Object",
    "ident_string",
    '{"inputs": [{"b64": "####"}]}',
    400,
    error="Unable to base64 decode",
)  # derived
_r(
    "b64_undecodable_row",
    JC + "JsonDecodeBase64Object",
    "ident_string",
    '{"instances": [{"b64": "####"}]}',
    400,
    error="Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: Unable to base64 decode",
)  # derived
_r(
    "b64_object_with_second_key",
    JC + "IsValBase64Object",
    "ident_string",
    '{"inputs": [{"b64": "aGVsbG8=", "k": 1}]}',
    400,
    error='JSON Value: {\n    "b64": "aGVsbG8=",\n    "k": 1\n} not formatted correctly for base64 data',
)  # derived
_r(
    "b64_value_not_string",
    JC + "IsValBase64Object",
    "ident_string",
    '{"inputs": [{"b64": 5}]}',
    400,
    error='JSON Value: {\n    "b64": 5\n} not formatted correctly for base64 data',
)  # derived
_r(
    "b64_for_float_input",
    JC + "FillTensorProto",
    "ident_float32",
    '{"instances": [{"b64": "aGVsbG8="}]}',
    400,
    error='Failed to process element: 0 of \'instances\' list. Error: INVALID_ARGUMENT: JSON Value: {\n    "b64": "aGVsbG8="\n} Type: Object is not of expected type: float',
)  # derived
_r(
    "object_leaf_for_float_input",
    JC + "FillTensorProto",
    "ident_float32",
    '{"inputs": [{"a": 1}]}',
    400,
    error='JSON Value: {\n    "a": 1\n} Type: Object is not of expected type: float',
)  # derived
_r(
    "number_for_string",
    JC + "AddValueToTensor",
    "ident_string",
    '{"inputs": [1]}',
    400,
    error="JSON Value: 1 Type: Number is not of expected type: string",
)  # derived

# ================================================================ dtype conversions
_r(
    "int32_refuses_1_dot_0",
    JC + "AddValueToTensor (IsInt)",
    "ident_int32",
    '{"inputs": [1.0]}',
    400,
    error="JSON Value: 1.0 Type: Number is not of expected type: int32",
)  # derived
_r(
    "int32_refuses_fraction",
    JC + "AddValueToTensor",
    "ident_int32",
    '{"inputs": [1.5]}',
    400,
    error="JSON Value: 1.5 Type: Number is not of expected type: int32",
)  # derived
_r(
    "int32_limits",
    JC + "AddValueToTensor",
    "ident_int32",
    '{"inputs": [2147483647, -2147483648]}',
    answer={"outputs": [2147483647, -2147483648]},
)  # derived
_r(
    "int32_overflow",
    JC + "AddValueToTensor",
    "ident_int32",
    '{"inputs": [2147483648]}',
    400,
    error="JSON Value: 2147483648 Type: Number is not of expected type: int32",
)  # derived
_r(
    "int32_overflow_row",
    JC + "AddValueToTensor",
    "ident_int32",
    '{"instances": [2147483648]}',
    400,
    error="Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: 2147483648 Type: Number is not of expected type: int32",
)  # derived
_r(
    "int64_limits",
    JC + "AddValueToTensor",
    "ident_int64",
    '{"inputs": [9223372036854775807, -9223372036854775808]}',
    answer={"outputs": [9223372036854775807, -9223372036854775808]},
)  # derived
_r(
    "int64_overflow",
    JC + "AddValueToTensor",
    "ident_int64",
    '{"inputs": [9223372036854775808]}',
    400,
    error="JSON Value: 9223372036854775808 Type: Number is not of expected type: int64",
)  # derived
_r(
    "int64_beyond_uint64_is_shown_as_float",
    JC + "JsonValueToString",
    "ident_int64",
    '{"inputs": [18446744073709551616]}',
    400,
    error="JSON Value: 1.84467441e+19 Type: Number is not of expected type: int64",
)  # derived
_r(
    "uint64_max",
    JC + "AddValueToTensor",
    "ident_uint64",
    '{"inputs": [18446744073709551615]}',
    answer={"outputs": [18446744073709551615]},
)  # derived
_r(
    "uint64_negative",
    JC + "AddValueToTensor",
    "ident_uint64",
    '{"inputs": [-1]}',
    400,
    error="JSON Value: -1 Type: Number is not of expected type: uint64",
)  # derived
_r(
    "uint32_max", JC + "AddValueToTensor", "ident_uint32", '{"inputs": [4294967295]}', answer={"outputs": [4294967295]}
)  # derived
_r(
    "uint32_negative",
    JC + "AddValueToTensor",
    "ident_uint32",
    '{"inputs": [-1]}',
    400,
    error="JSON Value: -1 Type: Number is not of expected type: uint32",
)  # derived
_r(
    "int8_in_range", JC + "AddValueToTensor", "ident_int8", '{"inputs": [-128, 127]}', answer={"outputs": [-128, 127]}
)  # derived
_r(
    "int8_out_of_range_wraps",
    JC + "AddValueToTensor (only IsInt is checked) + " + TFT + "FromProtoField",
    "ident_int8",
    '{"inputs": [200]}',
    answer={"outputs": [-56]},
)  # derived
_r(
    "uint8_out_of_range_wraps",
    JC + "AddValueToTensor + " + TFT + "FromProtoField",
    "ident_uint8",
    '{"inputs": [300, -1]}',
    answer={"outputs": [44, 255]},
)  # derived
_r(
    "int16_in_range",
    JC + "AddValueToTensor",
    "ident_int16",
    '{"inputs": [-32768, 32767]}',
    answer={"outputs": [-32768, 32767]},
)  # derived
_r(
    "bool_values",
    JC + "AddValueToTensor",
    "ident_bool",
    '{"instances": [true, false]}',
    answer={"predictions": [True, False]},
)  # derived
_r(
    "bool_refuses_number",
    JC + "AddValueToTensor",
    "ident_bool",
    '{"inputs": [1]}',
    400,
    error="JSON Value: 1 Type: Number is not of expected type: bool",
)  # derived
_r(
    "bool_refuses_string",
    JC + "AddValueToTensor",
    "ident_bool",
    '{"inputs": ["true"]}',
    400,
    error='JSON Value: "true" Type: String is not of expected type: bool',
)  # derived
_r(
    "float_refuses_true",
    JC + "JsonTypeString",
    "ident_float32",
    '{"inputs": [true]}',
    400,
    error="JSON Value: true Type: True is not of expected type: float",
)  # derived
_r(
    "float_refuses_false",
    JC + "JsonTypeString",
    "ident_float32",
    '{"inputs": [false]}',
    400,
    error="JSON Value: false Type: False is not of expected type: float",
)  # derived
_r(
    "double_refuses_string",
    JC + "AddValueToTensor",
    "ident_float64",
    '{"inputs": ["1.0"]}',
    400,
    error='JSON Value: "1.0" Type: String is not of expected type: double',
)  # derived
_r(
    "half_input_unsupported_column_is_501",
    JC + "AddValueToTensor",
    "ident_float16",
    '{"inputs": [1.0]}',
    501,
    error="Conversion of JSON Value: 1.0 to type: half",
)  # derived
_r(
    "half_input_unsupported_row_is_400",
    JC + "AddValueToTensor, FillTensorMapFromInstancesList",
    "ident_float16",
    '{"instances": [1.0]}',
    400,
    error="Failed to process element: 0 of 'instances' list. Error: UNIMPLEMENTED: Conversion of JSON Value: 1.0 to type: half",
)  # derived
_r(
    "uint16_input_unsupported",
    JC + "AddValueToTensor",
    "ident_uint16",
    '{"inputs": [1]}',
    501,
    error="Conversion of JSON Value: 1 to type: uint16",
)  # derived

# ================================================================ number formatting (float32/float64)
_r(
    "fmt_six_digits",
    JT + "FromJsonSingleFloatTensorSixDigitPrecision",
    "ident_float32",
    '{"instances": [[9000000, 999999, 0.5], [0.0003, 0.00003, 555557.5]]}',
    tokens=["9e+06", "999999.0", "0.5", "0.0003", "3e-05", "555557.5"],
)
_r(
    "fmt_whole_numbers_get_dot_zero",
    JC + "WriteDecimal",
    "ident_float32",
    '{"instances": [0, 1, -7, 100000]}',
    tokens=["0.0", "1.0", "-7.0", "100000.0"],
)  # derived
_r(
    "fmt_million_is_exponent",
    JC + "WriteDecimal",
    "ident_float32",
    '{"instances": [1000000, 1234567, 10000000000]}',
    tokens=["1e+06", "1234567.0", "1e+10"],
)  # derived
_r(
    "fmt_nine_digits_when_six_do_not_round_trip",
    JC + "WriteDecimal (%.*g, max_digits10)",
    "ident_float32",
    '{"instances": [0.33333334, 0.1, 0.2, 3.1415927]}',
    tokens=["0.333333343", "0.1", "0.2", "3.14159274"],
)  # derived: NOT the shortest form
_r(
    "fmt_float_max",
    JC + "WriteDecimal",
    "ident_float32",
    '{"instances": [3.4028234663852886e38]}',
    tokens=["3.40282347e+38"],
)  # derived
_r(
    "fmt_negative_zero",
    JT + "FloatTensorThatExceedsMinReturnsZero",
    "ident_float32",
    '{"instances": [2.2250738585072014e-308, -2.2250738585072014e-308]}',
    tokens=["0.0", "-0.0"],
)
_r(
    "float_over_max_becomes_infinity",
    JT + "FloatTensorThatExceedsMaxReturnsInf",
    "ident_float32",
    '{"instances": [1.7976931348623157e308, -1.7976931348623157e308]}',
    tokens=["Infinity", "-Infinity"],
    note="400 'without loss of precision.' before 2021",
)
_r(
    "float_integer_loses_precision_silently",
    JT + "FloatTensorWithPrecisionLoss",
    "ident_float32",
    '{"instances": [1435774380, 1435774380.0, 16777217]}',
    tokens=["1.43577434e+09", "1.43577434e+09", "16777216.0"],
)
_r(
    "double_integer_loses_precision_silently",
    JC + "AddValueToTensor (no lossy check any more)",
    "ident_float64",
    '{"instances": [9007199254740993]}',
    tokens=["9007199254740992.0"],
)  # derived
_r(
    "fmt_double_seventeen_digits",
    JC + "WriteDecimal",
    "ident_float64",
    '{"instances": [0.3333333333333333, 0.1, 123456789, 1e300]}',
    tokens=["0.33333333333333331", "0.1", "123456789.0", "1e+300"],
)  # derived
_r(
    "fmt_int_has_no_dot", JC + "AddSingleValueAndAdvance", "ident_int64", '{"instances": [5, -5]}', tokens=["5", "-5"]
)  # derived
_r(
    "number_too_big_for_double",
    "rapidjson/error/en.h, through tensorflow_serving/util/json_tensor.cc",
    "ident_float64",
    '{"instances": [1e400]}',
    400,
    error_contains="JSON Parse error: Number too big to be stored in double.",
)  # derived

# ================================================================ whole-body errors, order of checks
_r("body_empty", HT + "PredictRequestErrors", "half_plus_two", "", 400, error="JSON Parse error: The document is empty")
_r(
    "body_whitespace",
    JC + "ParseJson",
    "half_plus_two",
    "  ",
    400,
    error_contains="JSON Parse error: The document is empty. at offset: ",
)  # derived: note the '.', unlike the empty body
_r(
    "body_not_json",
    HT + "PredictRequestErrors",
    "half_plus_two",
    "instances = [1, 2]",
    400,
    error="JSON Parse error: Invalid value. at offset: 0",
)  # their test checks up to "Invalid value"; the offset is derived
_r(
    "body_missing_bracket",
    JC + "ParseJson",
    "half_plus_two",
    '{"instances": [1, 2}',
    400,
    error_contains="JSON Parse error: Missing a comma or",
)  # derived
_r(
    "body_trailing_text",
    JC + "ParseJson",
    "half_plus_two",
    '{"instances": [1]} x',
    400,
    error_contains="JSON Parse error: The document root must not",
)  # derived
_r(
    "body_is_list",
    JC + "ParseJson",
    "half_plus_two",
    "[1, 2]",
    400,
    error="JSON Value: [\n    1,\n    2\n] Is not object",
)  # derived
_r("body_is_number", JC + "ParseJson", "half_plus_two", "5", 400, error="JSON Value: 5 Is not object")  # derived
_r("body_is_null", JC + "ParseJson", "half_plus_two", "null", 400, error="JSON Value: null Is not object")  # derived
_r(
    "neither_key",
    JC + "FillPredictRequestFromJson",
    "half_plus_two",
    "{}",
    400,
    error="Missing 'inputs' or 'instances' key",
)  # derived
_r(
    "both_keys",
    JT + "SingleUnnamedTensorErrors",
    "ident_int32",
    '{"instances": [1], "inputs": [1]}',
    400,
    error="JSON Value: {\n    \"instances\": [\n        1\n    ],\n    \"inputs\": [\n        1\n    ]\n} Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ",
)  # trailing space is theirs
_r(
    "signature_name_not_string",
    JT + "SingleUnnamedTensorErrors; " + HT + "PredictRequestErrors",
    "half_plus_two",
    '{ "signature_name": 100 }',
    400,
    error="JSON Value: {\n    \"signature_name\": 100\n} not formatted correctly. 'signature_name' key must be a string value.",
)
_r(
    "signature_named",
    HT + "Predict",
    "half_plus_two",
    '{"signature_name": "serving_default", "instances": [3.0, 4.0]}',
    answer={"predictions": [3.5, 4.0]},
)
_r(
    "signature_empty_string_is_default",
    HC + "GetInfoMap",
    "half_plus_two",
    '{"signature_name": "", "instances": [3.0]}',
    answer={"predictions": [3.5]},
)  # derived
_r(
    "signature_unknown",
    HC + "GetInfoMap",
    "half_plus_two",
    '{"signature_name": "nope", "instances": [1.0]}',
    400,
    error='Serving signature name: "nope" not found in signature def',
)  # derived; gRPC has another code and text
_r(
    "signature_without_inputs",
    JC + "FillPredictRequestFromJson",
    "counter",
    '{"signature_name": "get_counter", "instances": [1.0]}',
    400,
    error="Failed to get input map for signature: get_counter",
)  # derived: such signatures cannot be called over REST
_r(
    "predict_on_regress_signature",
    PUT + "PredictionWithNamedRegressionSignature",
    "half_plus_two",
    '{"signature_name": "regress_x2_to_y3", "instances": [2.0]}',
    answer={"predictions": [4.0]},
)
_r(
    "predict_on_classify_signature",
    PUT + "PredictionWithNamedClassificationSignature",
    "half_plus_two",
    '{"signature_name": "classify_x2_to_y3", "inputs": [2.0]}',
    answer={"outputs": [4.0]},
)
_r(
    "bad_json_beats_unknown_model",
    JC + "FillPredictRequestFromJson (parse first)",
    "half_plus_two",
    "{",
    400,
    path="/v1/models/nope:predict",
    error_contains="JSON Parse error: ",
)  # derived
_r(
    "unknown_model_beats_missing_keys",
    JC + "FillPredictRequestFromJson",
    "half_plus_two",
    "{}",
    404,
    path="/v1/models/nope:predict",
    error="Servable not found for request: Latest(nope)",
)  # derived

# ================================================================ predict: addressing
_r(
    "latest_version",
    HT + "Predict",
    "half_plus_two",
    '{"instances": [[1.0, 2.0], [3.0, 4.0]]}',
    answer={"predictions": [[2.5, 3.0], [3.5, 4.0]]},
    answer_headers={"Content-Type": "application/json"},
)
_r(
    "specific_version",
    HT + "Predict",
    "half_plus_two",
    '{"instances": [1.0, 2.0]}',
    path="/v1/models/{model}/versions/123:predict",
    answer={"predictions": [2.5, 3.0]},
)
_r(
    "version_with_leading_zeros",
    HU + "kPredictionApiGegex + SimpleAtoi",
    "half_plus_two",
    '{"instances": [1.0]}',
    path="/v1/models/{model}/versions/000123:predict",
    answer={"predictions": [2.5]},
)  # derived
_r(
    "by_label",
    HT + "Predict",
    "half_plus_two",
    '{"instances": [1.0, 2.0]}',
    path="/v1/models/{model}/labels/Version_Label:predict",
    answer={"predictions": [2.5, 3.0]},
)
_r(
    "column_by_version",
    HT + "Predict",
    "half_plus_two",
    '{"signature_name": "serving_default", "inputs": [3.0, 4.0]}',
    path="/v1/models/{model}/versions/123:predict",
    answer={"outputs": [3.5, 4.0]},
)
_r(
    "three_scalars",
    MSRV + "testPredictREST",
    "half_plus_two",
    '{"instances": [2.0, 3.0, 4.0]}',
    answer={"predictions": [3.0, 3.5, 4.0]},
)
_r(
    "three_scalars_column",
    MSRV + "testPredictColumnarREST",
    "half_plus_two",
    '{"inputs": [2.0, 3.0, 4.0]}',
    answer={"outputs": [3.0, 3.5, 4.0]},
)
_r(
    "unknown_model",
    HT + "PredictModelNameVersionErrors; " + BM + "; g3doc/api_rest.md example",
    "half_plus_two",
    '{ "instances": [1] }',
    404,
    path="/v1/models/foo:predict",
    error="Servable not found for request: Latest(foo)",
)
_r(
    "unknown_model_with_version",
    HT + "PredictModelNameVersionErrors",
    "half_plus_two",
    '{ "instances": [1] }',
    404,
    path="/v1/models/foo/versions/50:predict",
    error="Servable not found for request: Specific(foo, 50)",
)
_r(
    "unknown_version",
    BM + "GetUntypedServableHandle",
    "half_plus_two",
    '{ "instances": [1] }',
    404,
    path="/v1/models/half_plus_two/versions/99:predict",
    error="Servable not found for request: Specific(half_plus_two, 99)",
)  # derived
_r(
    "unknown_label",
    HT + "PredictRequestErrors",
    "half_plus_two",
    '{ "instances": ["x", "y"] }',
    400,
    path="/v1/models/{model}/labels/Version_Nonexistent:predict",
    error="Unrecognized servable version label: Version_Nonexistent",
)
_r(
    "label_on_unknown_model_is_400_not_404",
    SC + "GetModelVersionForLabel",
    "half_plus_two",
    '{ "instances": [1] }',
    400,
    path="/v1/models/nope/labels/stable:predict",
    error="Unrecognized servable version label: stable",
)  # derived
_r(
    "label_is_case_sensitive",
    SC + "GetModelVersionForLabel",
    "half_plus_two",
    '{ "instances": [1] }',
    400,
    path="/v1/models/{model}/labels/version_label:predict",
    error="Unrecognized servable version label: version_label",
)  # derived
_r(
    "label_canary_of_two",
    SCT + "ModelSpecMultipleVersionsAvailable",
    "half_plus_two_2v",
    '{"instances": [1.0]}',
    path="/v1/models/{model}/labels/canary:predict",
    answer={"predictions": [2.5]},
)
_r(
    "gzip_request_body",
    "tensorflow_serving/util/net_http/server/internal/evhttp_request.cc: NeedUncompressGzipContent; RELEASE.md 1.12",
    "half_plus_two",
    '{"instances": [1.0]}',
    gzip=True,
    headers={"Content-Encoding": "gzip"},
    answer={"predictions": [2.5]},
)

# ================================================================ URL grammar, methods
for _n, _m, _p in [
    ("get_v1_foo", "GET", "/v1/foo"),
    ("post_v1_foo", "POST", "/v1/foo"),
    ("post_v1_models", "POST", "/v1/models"),
    ("get_debug_subpath", "GET", "/v1/models/debug/model_name"),
    ("get_predict", "GET", "/v1/models/foo:predict"),
    ("get_version_singular", "GET", "/v1/models/foo/version/50:predict"),
    ("post_version_singular", "POST", "/v1/models/foo/version/50:regress"),
    ("post_version_word", "POST", "/v1/models/foo/versions/HELLO:regress"),
    ("post_metadata", "POST", "/v1/models/foo/metadata"),
    ("post_label_singular", "POST", "/v1/models/foo/label/some_label:regress"),
    ("post_version_and_label", "POST", "/v1/models/foo/versions/50/labels/some_label:regress"),
    ("post_label_as_version", "POST", "/v1/models/foo/versions/some_label:regress"),
]:
    _r(
        "url_" + _n,
        HT + "UnsupportedApiCalls",
        "half_plus_two",
        "" if _m == "POST" else None,
        400,
        method=_m,
        path=_p,
        error=f"Malformed request: {_m} {_p}",
    )
for _n, _m, _p in [
    ("trailing_slash", "GET", "/v1/models/foo/"),
    ("unknown_verb", "POST", "/v1/models/foo:train"),
    ("verb_in_capitals", "POST", "/v1/models/foo:PREDICT"),
    ("post_status", "POST", "/v1/models/foo"),
    ("negative_version", "POST", "/v1/models/foo/versions/-1:predict"),
    ("verb_with_query", "POST", "/v1/models/foo:predict?x=1"),
    ("put_predict", "PUT", "/v1/models/foo:predict"),
    ("delete_model", "DELETE", "/v1/models/foo"),
    ("patch_model", "PATCH", "/v1/models/foo"),
]:
    _r(
        "url_" + _n,
        HU + "kPredictionApiGegex/kModelStatusApiRegex; " + HC + "ProcessRequest",
        "half_plus_two",
        None if _m in ("GET", "DELETE") else "{}",
        400,
        method=_m,
        path=_p,
        error=f"Malformed request: {_m} {_p}",
    )  # derived
_r(
    "url_models_only",
    HT + "UnsupportedApiCalls",
    "half_plus_two",
    None,
    400,
    method="GET",
    path="/v1/models",
    error="Missing model name in request.",
)
_r(
    "url_version_over_int64",
    HT
    + "UnsupportedApiCalls (status); "
    + HC
    + "ProcessRequest (ParseModelInfo returns before the JSON error is written)",
    "half_plus_two",
    "",
    400,
    path="/v1/models/foo/versions/18446744073709551615:regress",
    empty_body=True,
    note="the status text 'Failed to convert version: 18446744073709551615 to numeric.' never reaches the client",
)
_r(
    "url_prefix_is_case_insensitive",
    HU + "(?i)",
    "half_plus_two",
    '{"instances": [1.0]}',
    path="/V1/Models/{model}:predict",
    answer={"predictions": [2.5]},
)  # derived
_r(
    "url_query_becomes_part_of_model_name",
    "net_http/server/internal/evhttp_request.cc: uri_path() = path_and_query; " + MS,
    "half_plus_two",
    None,
    404,
    method="GET",
    path="/v1/models/{model}?x=1",
    error="Could not find any versions of model half_plus_two?x=1",
)  # derived
_r(
    "url_percent_decoded_name",
    HUT + "TestParseModelInfoForGet",
    "half_plus_two",
    None,
    404,
    method="GET",
    path="/v1/models/modelname%21%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D",
    error="Could not find any versions of model modelname!#$%&'()*+,/:;=?@[]",
)
_r(
    "url_percent_decoded_label",
    HUT + "TestParseModelInfoForPost",
    "half_plus_two",
    '{"instances": [1.0]}',
    400,
    path="/v1/models/half_plus_two/labels/latest%21%2F%3A:predict",
    error="Unrecognized servable version label: latest!/:",
)
_r(
    "url_outside_v1",
    HT + "kPathRegex; evhttp_server.cc: DispatchEvRequest",
    "half_plus_two",
    None,
    404,
    method="GET",
    path="/statuspage",
    not_json=True,
)
_r(
    "url_root",
    "tensorflow_serving/util/net_http/server/internal/evhttp_server.cc: DispatchEvRequest",
    "half_plus_two",
    None,
    404,
    method="GET",
    path="/",
    not_json=True,
)  # derived
_r(
    "options_with_origin",
    HS + "ProcessRequest",
    "half_plus_two",
    None,
    200,
    method="OPTIONS",
    path="/v1/models/{model}:predict",
    headers={"Origin": "http://example.com"},
    empty_body=True,
)  # derived: answered even when CORS is off
_r(
    "options_without_origin",
    HS + "ProcessRequest",
    "half_plus_two",
    None,
    400,
    method="OPTIONS",
    path="/v1/models/{model}:predict",
    empty_body=True,
)  # derived
_r(
    "cors_headers",
    HS + "ProcessRequest; " + HU + "AddCORSHeaders",
    "half_plus_two",
    '{"instances": [1.0]}',
    needs="--rest_api_enable_cors_support=true",
    answer={"predictions": [2.5]},  # derived
    answer_headers={
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "POST, GET",
        "Access-Control-Allow-Headers": "Content-Type",
    },
)
_r(
    "metrics_off_by_default",
    HS + "CreateAndStartHttpServer",
    "half_plus_two",
    None,
    404,
    method="GET",
    path="/monitoring/prometheus/metrics",
    not_json=True,
)  # derived
_r(
    "metrics_with_query",
    HS + "ProcessPrometheusRequest",
    "half_plus_two",
    None,
    400,
    method="GET",
    path="/monitoring/prometheus/metrics?a=1",
    needs="--monitoring_config_file (enable)",
    not_json=True,  # derived
    note="plain text: Unexpected path: /monitoring/prometheus/metrics?a=1. Should be /monitoring/prometheus/metrics",
)


# ================================================================ status
def _vs(v, state="AVAILABLE", code="OK", msg=""):
    return {"version": str(v), "state": state, "status": {"error_code": code, "error_message": msg}}


_r(
    "status_all",
    HT + "GetStatus",
    "half_plus_two",
    None,
    method="GET",
    path="/v1/models/{model}",
    answer={"model_version_status": [_vs(123)]},
    answer_headers={"Content-Type": "application/json"},
)
_r(
    "status_version",
    HT + "GetStatus",
    "half_plus_two",
    None,
    method="GET",
    path="/v1/models/{model}/versions/123",
    answer={"model_version_status": [_vs(123)]},
)
_r(
    "status_label",
    HT + "GetStatus",
    "half_plus_two",
    None,
    method="GET",
    path="/v1/models/{model}/labels/Version_Label",
    answer={"model_version_status": [_vs(123)]},
)
_r(
    "status_two_versions_newest_first",
    "tensorflow_serving/core/servable_state_monitor.h: VersionMap (std::greater); tensorflow/serving issue 1488",
    "half_plus_two_2v",
    None,
    method="GET",
    path="/v1/models/{model}",
    answer={"model_version_status": [_vs(124), _vs(123)]},
)
_r(
    "status_label_is_ignored",
    MS + "GetModelStatusWithModelSpec (only has_version() is looked at)",
    "half_plus_two_2v",
    None,
    method="GET",
    path="/v1/models/{model}/labels/stable",
    answer={"model_version_status": [_vs(124), _vs(123)]},
)  # derived
_r(
    "status_unknown_label_is_not_an_error",
    MS + "GetModelStatusWithModelSpec",
    "half_plus_two",
    None,
    method="GET",
    path="/v1/models/{model}/labels/nope",
    answer={"model_version_status": [_vs(123)]},
)  # derived
_r(
    "status_unknown_model",
    MST + "InvalidModelNameFailure",
    "half_plus_two",
    None,
    404,
    method="GET",
    path="/v1/models/nonexistent_model",
    error="Could not find any versions of model nonexistent_model",
)
_r(
    "status_unknown_version",
    MST + "InvalidModelVersionFailure",
    "half_plus_two",
    None,
    404,
    method="GET",
    path="/v1/models/{model}/versions/125",
    error="Could not find version 125 of model half_plus_two",
)
_r(
    "status_metadata_in_capitals_is_status",
    HU + "kModelStatusApiRegex (?i); " + HC + "subresource == 'metadata'",
    "half_plus_two",
    None,
    method="GET",
    path="/v1/models/{model}/METADATA",
    answer={"model_version_status": [_vs(123)]},
)  # derived


# ================================================================ metadata
def _ti(dtype, name, dims=(-1, 1), unknown=False):
    return {
        "dtype": dtype,
        "tensor_shape": {"dim": [{"size": str(d), "name": ""} for d in dims], "unknown_rank": unknown},
        "name": name,
    }


def _sd(method, ins, outs):
    return {"inputs": ins, "outputs": outs, "method_name": "tensorflow/serving/" + method, "defaults": {}}


_EX = {"inputs": _ti("DT_STRING", "tf_example:0", (), True)}
_SIGS = {
    "serving_default": _sd("predict", {"x": _ti("DT_FLOAT", "x:0")}, {"y": _ti("DT_FLOAT", "y:0")}),
    "regress_x_to_y": _sd("regress", _EX, {"outputs": _ti("DT_FLOAT", "y:0")}),
    "regress_x_to_y2": _sd("regress", _EX, {"outputs": _ti("DT_FLOAT", "y2:0")}),
    "regress_x2_to_y3": _sd("regress", {"inputs": _ti("DT_FLOAT", "x2:0")}, {"outputs": _ti("DT_FLOAT", "y3:0")}),
    "classify_x_to_y": _sd("classify", _EX, {"scores": _ti("DT_FLOAT", "y:0")}),
    "classify_x2_to_y3": _sd("classify", {"inputs": _ti("DT_FLOAT", "x2:0")}, {"scores": _ti("DT_FLOAT", "y3:0")}),
}
_META = {
    "model_spec": {"name": "half_plus_two", "signature_name": "", "version": "123"},
    "metadata": {"signature_def": {"signature_def": _SIGS}},
}
_MJ = HT + "GetModelMetadata + servables/tensorflow/testdata/saved_model_half_plus_two_2_versions_metadata.json"
_r(
    "metadata_latest",
    _MJ,
    "half_plus_two",
    None,
    method="GET",
    path="/v1/models/{model}/metadata",
    answer=_META,
    note='"defaults": {} comes from a newer SignatureDef proto; older servers (and the older test file, commit 97687024) leave it out',
)
_r(
    "metadata_version",
    _MJ,
    "half_plus_two",
    None,
    method="GET",
    path="/v1/models/{model}/versions/123/metadata",
    answer=_META,
)  # derived
_r(
    "metadata_label",
    HUT + "TestParseModelInfoForGet (path 5)",
    "half_plus_two",
    None,
    method="GET",
    path="/v1/models/{model}/labels/Version_Label/metadata",
    answer=_META,
)  # derived: the number is reported, not the label
_r(
    "metadata_unknown_label",
    SC + "GetModelVersionForLabel",
    "half_plus_two",
    None,
    400,
    method="GET",
    path="/v1/models/{model}/labels/nope/metadata",
    error="Unrecognized servable version label: nope",
)  # derived (status does not check, metadata does)
_r(
    "metadata_unknown_model",
    MDT + "MissingOrEmptyModelSpec",
    "half_plus_two",
    None,
    404,
    method="GET",
    path="/v1/models/test/metadata",
    error="Servable not found for request: Latest(test)",
)
_r(
    "metadata_unknown_version",
    BM + "GetUntypedServableHandle",
    "half_plus_two",
    None,
    404,
    method="GET",
    path="/v1/models/{model}/versions/99/metadata",
    error="Servable not found for request: Specific(half_plus_two, 99)",
)  # derived

# ================================================================ classify / regress over REST
_C, _G = "/v1/models/{model}:classify", "/v1/models/{model}:regress"
_r(
    "classify_no_label_is_empty_string",
    HT + "Classify",
    "half_plus_two",
    '{"signature_name": "classify_x_to_y", "examples": [ { "x": 20.0 } ] }',
    path=_C,
    answer={"results": [[["", 12.0]]]},
)
_r(
    "classify_by_label",
    HT + "Classify",
    "half_plus_two",
    '{"signature_name": "classify_x_to_y", "examples": [ { "x": 10.0 } ] }',
    path="/v1/models/{model}/labels/Version_Label:classify",
    answer={"results": [[["", 7.0]]]},
)
_r(
    "regress_one",
    HT + "Regress",
    "half_plus_two",
    '{"signature_name": "regress_x_to_y", "examples": [ { "x": 80.0 } ] }',
    path=_G,
    answer={"results": [42.0]},
)
_r(
    "regress_by_version",
    HT + "Regress",
    "half_plus_two",
    '{"signature_name": "regress_x_to_y", "examples": [ { "x": [80.0] } ] }',
    path="/v1/models/{model}/versions/123:regress",
    answer={"results": [42.0]},
)
_r(
    "regress_two",
    "tensorflow_serving/g3doc/api_rest.md: Example",
    "half_plus_two",
    '{"signature_name": "regress_x_to_y", "examples": [{"x": 1.0}, {"x": 2.0}]}',
    path=_G,
    tokens=["2.5", "3.0"],
)
_r(
    "regress_context_shared",
    RGT + "BasicExampleListWithContext",
    "half_plus_two",
    '{"signature_name": "regress_x_to_y", "context": {"x": 80.0}, "examples": [{}, {}]}',
    path=_G,
    answer={"results": [42.0, 42.0]},
)
_r(
    "regress_example_overrides_context",
    CLT + "ExampleListWithContext_DuplicateFeatures (there called undefined)",
    "half_plus_two",
    '{"signature_name": "regress_x_to_y", "context": {"x": 80.0}, "examples": [{}, {"x": 20.0}]}',
    path=_G,
    answer={"results": [42.0, 12.0]},
)
_r(
    "classify_labels_and_scores",
    JT + "JsonFromClassificationResult",
    "classes",
    '{"examples": [{"class": ["car","bike","bus"], "score": [0.2, 0.7, 0.1]}, {"class": ["car","bike","bus"], "score": [0.7, 0.1, 0.2]}]}',
    path=_C,
    answer={"results": [[["car", 0.2], ["bike", 0.7], ["bus", 0.1]], [["car", 0.7], ["bike", 0.1], ["bus", 0.2]]]},
)
_r(
    "classify_classes_only_scores_zero",
    CLT + "ClassesOnly; " + JC + "MakeJsonFromClassificationResult",
    "classes",
    '{"signature_name": "classes_only", "examples": [{"class": ["dos","uno"], "score": [2.0, 1.0]}]}',
    path=_C,
    answer={"results": [[["dos", 0.0], ["uno", 0.0]]]},
)
_r(
    "classify_b64_class",
    JT + "RequestWithContextAndSignature",
    "classes",
    '{"examples": [{"class": ["baz", {"b64": "aGVsbG8="}], "score": [1.0, 2.0]}]}',
    path=_C,
    answer={"results": [[["baz", 1.0], ["hello", 2.0]]]},
)
_r(
    "regress_nonfinite",
    JT + "JsonFromRegressionResultWithNonFinite",
    "nonfinite_regress",
    '{"examples": [{"output": 0.2}, {"output": Infinity}, {"output": 1.0}, {"output": -Infinity}, {"output": NaN}]}',
    path=_G,
    tokens=["0.2", "Infinity", "1.0", "-Infinity", "NaN"],
)
_r(
    "regress_int_feature_for_float",
    "tensorflow/core/util/example_proto_fast_parsing.cc (tensorflow/tensorflow)",
    "half_plus_two",
    '{"signature_name": "regress_x_to_y", "examples": [ { "x": 80 } ] }',
    400,
    path=_G,
    error_contains="Data types don't match. Data type: int64 but expected type: float",
    note="whole JSON numbers make int64 features; the message is TensorFlow's, with a prefix naming key and index",
)
for _verb, _path in (("classify", _C), ("regress", _G)):
    _s = JT + "ClassifyRegressRequestTest.JsonErrors"
    _r(
        _verb + "_signature_name_not_string",
        _s,
        "half_plus_two",
        '{"signature_name": ["hello"], "examples": [{"x": 1.0}]}',
        400,
        path=_path,
        error='JSON Value: {\n    "signature_name": [\n        "hello"\n    ],\n    "examples": [\n        {\n            "x": 1.0\n        }\n    ]\n} not formatted correctly. \'signature_name\' key must be a string value.',
    )
    _r(
        _verb + "_context_not_object",
        _s,
        "half_plus_two",
        '{"context": [{"names": ["foo"]}]}',
        400,
        path=_path,
        error="Example must be JSON object but got JSON Array",
    )
    _r(
        _verb + "_examples_not_list",
        _s,
        "half_plus_two",
        '{"examples": {"names": 1}}',
        400,
        path=_path,
        error='JSON Value: {\n    "examples": {\n        "names": 1\n    }\n} Expecting \'examples\' value to be an list/array',
    )
    _r(
        _verb + "_examples_missing",
        JC + "FillClassifyRegressRequestFromJson",
        "half_plus_two",
        "{}",
        400,
        path=_path,
        error="JSON Value: {} When method is classify, key 'examples' is expected and was not found",
    )  # derived; says classify for regress too
    _r(
        _verb + "_examples_empty",
        JC + "FillClassifyRegressRequestFromJson",
        "half_plus_two",
        '{"examples": []}',
        400,
        path=_path,
        error="JSON Value: {\n    \"examples\": []\n} 'examples' value is an empty array",
    )  # derived
    _r(
        _verb + "_example_is_list",
        _s,
        "half_plus_two",
        '{"examples": [[{"names": ["foo"]}]]}',
        400,
        path=_path,
        error="Example must be JSON object but got JSON Array",
    )
    _r(
        _verb + "_feature_null",
        _s,
        "half_plus_two",
        '{"examples": [{"names": [10, null]}]}',
        400,
        path=_path,
        error="Feature: names has element with unexpected JSON type: Null",
    )
    _r(
        _verb + "_feature_int_then_float",
        _s,
        "half_plus_two",
        '{"examples": [{"names": [10, 10.0]}]}',
        400,
        path=_path,
        error="Unexpected element type in feature: names expecting type: int64",
    )
    _r(
        _verb + "_feature_object",
        _s,
        "half_plus_two",
        '{"examples": [{"names": [10, {"test": 10}]}]}',
        400,
        path=_path,
        error="Feature: names has element with unexpected JSON type: Object",
    )
    _r(
        _verb + "_feature_nested_list",
        _s,
        "half_plus_two",
        '{"examples": [{"names": [[10], 20]}]}',
        400,
        path=_path,
        error="Feature: names has element with unexpected JSON type: Array",
    )
    _r(
        _verb + "_feature_uint64",
        _s,
        "half_plus_two",
        '{"examples": [{"names": [20, 18446744073709551603]}]}',
        400,
        path=_path,
        error="Feature: names has uint64_t element. Only int64_t is supported.",
        note="'uint64'/'int64' before 2022",
    )
_r(
    "regress_feature_float_then_int",
    JC + "IncompatibleFeatureKindError",
    "half_plus_two",
    '{"examples": [{"names": [10.0, 10]}]}',
    400,
    path=_G,
    error="Unexpected element type in feature: names expecting type: float",
)  # derived
_r(
    "regress_feature_string_then_int",
    JC + "IncompatibleFeatureKindError",
    "half_plus_two",
    '{"examples": [{"names": ["a", 10]}]}',
    400,
    path=_G,
    error="Unexpected element type in feature: names expecting type: bytes",
)  # derived
_r(
    "regress_feature_bool_after_float",
    JC + "AddValueToFeature",
    "half_plus_two",
    '{"examples": [{"names": [1.5, true]}]}',
    400,
    path=_G,
    error="Unexpected element type in feature: names expecting type: float",
)  # derived (booleans are int64 features)
_r(
    "classify_unknown_signature",
    CST + "InvalidSignature; " + CL + "GetClassificationSignatureDef",
    "half_plus_two",
    '{"signature_name": "nope", "examples": [{"x": 1.0}]}',
    400,
    path=_C,
    error="No signature was found with the name: nope",
)
_r(
    "regress_unknown_signature",
    RST + "InvalidSignature; " + RG + "GetRegressionSignatureDef",
    "half_plus_two",
    '{"signature_name": "nope", "examples": [{"x": 1.0}]}',
    400,
    path=_G,
    error="No signature was found with the name: nope",
)
_r(
    "classify_on_predict_signature",
    CL + "PreProcessClassification (method-name check is off in the server binary)",
    "half_plus_two",
    '{"examples": [{"x": 1.0}]}',
    400,
    path=_C,
    error_contains="No classification inputs found in SignatureDef: ",
)  # derived
_r(
    "regress_on_predict_signature",
    RG + "PreProcessRegression",
    "half_plus_two",
    '{"examples": [{"x": 1.0}]}',
    400,
    path=_G,
    error_contains="No regression inputs found in SignatureDef: ",
)  # derived
_r(
    "classify_on_regress_signature",
    CL + "PreProcessClassification",
    "half_plus_two",
    '{"signature_name": "regress_x_to_y", "examples": [{"x": 1.0}]}',
    400,
    path=_C,
    error_contains='Expected classification signature outputs to contain at least one of "classes" or "scores". Signature was: ',
)  # derived
_r(
    "regress_on_classify_signature",
    RG + "PreProcessRegression",
    "half_plus_two",
    '{"signature_name": "classify_x_to_y", "examples": [{"x": 1.0}]}',
    400,
    path=_G,
    error_contains="No regression outputs found in SignatureDef: ",
)  # derived
_r(
    "classify_on_predict_signature_checked",
    CL + "GetClassificationSignatureDef",
    "half_plus_two",
    '{"examples": [{"x": 1.0}]}',
    400,
    path=_C,
    needs="--enable_signature_method_name_check=true",
    error="Expected classification signature method_name to be tensorflow/serving/classify. Was: tensorflow/serving/predict",
)  # derived
_r(
    "classify_unknown_model",
    CST + "InvalidModelSpec",
    "half_plus_two",
    '{"examples": [{"x": 1.0}]}',
    404,
    path="/v1/models/foo:classify",
    error="Servable not found for request: Latest(foo)",
)
_r(
    "regress_unknown_model",
    RST + "InvalidModelSpec",
    "half_plus_two",
    '{"examples": [{"x": 1.0}]}',
    404,
    path="/v1/models/foo:regress",
    error="Servable not found for request: Latest(foo)",
)

# ===============================================================================================================
# gRPC
# ===============================================================================================================
PS, MSS = "PredictionService", "ModelService"


def _g(name, source, rpc, model, request, code="OK", service=PS, **kw):
    GRPC.append(dict(name=name, source=source, service=service, rpc=rpc, model=model, request=request, code=code, **kw))


_H = {"name": "half_plus_two"}


def _f(vals, shape=None, dtype="DT_FLOAT"):
    d = {
        "dtype": dtype,
        "float_val" if dtype == "DT_FLOAT" else "string_val" if dtype == "DT_STRING" else "bool_val": vals,
    }
    if shape is not None:
        d["shape"] = shape
    return d


def _spec(sig="serving_default", version=123, name="half_plus_two"):
    return {"name": name, "signature_name": sig, "version": version}


_IA, _NF, _FP = "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"
# ---- Predict
_g(
    "predict_no_model_spec",
    PUT + "MissingOrEmptyModelSpec; predict_impl.cc",
    "Predict",
    "half_plus_two",
    {},
    _IA,
    message="Missing ModelSpec",
)
_g(
    "predict_empty_name",
    PUT + "MissingOrEmptyModelSpec; " + SC + "ServableRequestFromModelSpec",
    "Predict",
    "half_plus_two",
    {"model_spec": {}},
    _IA,
    message="ModelSpec has no name specified.",
)
_g(
    "predict_unknown_model",
    "predict_impl_test.cc: MissingOrEmptyModelSpec; " + BM,
    "Predict",
    "half_plus_two",
    {"model_spec": {"name": "test"}},
    _NF,
    message="Servable not found for request: Latest(test)",
)
_g(
    "predict_unknown_version",
    BM,
    "Predict",
    "half_plus_two",
    {"model_spec": {"name": "half_plus_two", "version": 99}},
    _NF,
    message="Servable not found for request: Specific(half_plus_two, 99)",
)  # derived
_g(
    "predict_unknown_label",
    SCT + "ModelSpecMultipleVersionsAvailable",
    "Predict",
    "half_plus_two",
    {"model_spec": {"name": "half_plus_two", "version_label": "nonexistent label"}},
    _IA,
    message="Unrecognized servable version label: nonexistent label",
)
_g(
    "predict_no_inputs",
    PUT + "EmptyInputList",
    "Predict",
    "half_plus_two",
    {"model_spec": _H},
    _IA,
    message="input size does not match signature: 0!=1 len({}) != len({x}). Sent extra: {}. Missing but required: {x}.",
)
_g(
    "predict_two_unknown_inputs",
    PUT + "InputTensorsDontMatchModelSpecInputs",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"unknown_key1": _f(["any_value"], [1], "DT_STRING"), "unknown_key2": _f([1.0], [1])}},
    _IA,
    message="input size does not match signature: 2!=1 len({unknown_key1,unknown_key2}) != len({x}). Sent extra: {unknown_key1,unknown_key2}. Missing but required: {x}.",
)
_g(
    "predict_extra_input",
    PU + "VerifyRequestInputsSize",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f([1.0], [1]), "z": _f([1.0], [1])}},
    _IA,  # derived
    message="input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. Missing but required: {}.",
)
_g(
    "predict_one_unknown_input",
    "predict_impl_test.cc: InputTensorsDontMatchModelSpecInputs; " + PU + "PreProcessPrediction",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"key": _f(["any_key"], [1], "DT_STRING")}},
    _IA,
    message="input tensor alias not found in signature: key. Inputs expected to be in the set {x}.",
)
_g(
    "predict_bool_for_float",
    PUT + "PredictionInvalidTensor",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f([True], [], "DT_BOOL")}},
    _IA,
    message_contains="Expects arg[0] to be float but bool is provided",
)
_g(
    "predict_string_for_float",
    PUT + "InputTensorsHaveWrongType",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f(["any_value"], [1], "DT_STRING")}, "output_filter": ["y"]},
    _IA,
    message_contains="to be float but string is provided",
)
_g(
    "predict_content_of_wrong_length",
    PU + "PreProcessPrediction",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": {"dtype": "DT_FLOAT", "shape": [2], "tensor_content_hex": "000080"}}},
    _IA,
    message="tensor parsing error: x",
)  # derived
_g(
    "predict_filter_unknown",
    PUT + "OutputFiltersDontMatchModelSpecOutputs",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f([2.0])}, "output_filter": ["output_filter"]},
    _IA,
    message="output tensor alias not found in signature: output_filter Outputs expected to be in the set {y}.",
)
_g(
    "predict_filter_duplicate",
    PUT + "OutputFiltersDontMatchModelSpecOutputs",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f([2.0])}, "output_filter": ["y", "y"]},
    _IA,
    message="duplicate output tensor alias: y",
)
_g(
    "predict_filter_ok",
    MSRV + "testPredictSavedModel",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f([2.0], [1])}, "output_filter": ["y"]},
    answer={"model_spec": _spec(), "outputs": {"y": _f([3.0], [1])}},
)
_g(
    "predict_filter_one_of_two",
    PU + "PreProcessPrediction",
    "Predict",
    "multi2",
    {
        "model_spec": {"name": "multi2"},
        "inputs": {
            "int_tensor": {"dtype": "DT_INT32", "int_val": [1], "shape": [1]},
            "str_tensor": _f(["a"], [1], "DT_STRING"),
        },
        "output_filter": ["str_out"],
    },  # derived
    answer={"model_spec": _spec(version=1, name="multi2"), "outputs": {"str_out": _f(["a"], [1], "DT_STRING")}},
)
_g(
    "predict_unknown_signature",
    PUT + "ModelMissingSignatures (code); " + PU + "RunPredict",
    "Predict",
    "half_plus_two",
    {"model_spec": {"name": "half_plus_two", "signature_name": "nope"}, "inputs": {"x": _f([2.0])}},
    _FP,
    message='Serving signature key "nope" not found.',
)
_g(
    "predict_scalar",
    PUT + "PredictionSuccess",
    "Predict",
    "half_plus_two",
    {"model_spec": {"name": "half_plus_two", "version": 123}, "inputs": {"x": _f([2.0])}},
    answer={"model_spec": _spec(), "outputs": {"y": _f([3.0], [])}},
)
_g(
    "predict_version_filled_in",
    MSRV + "VerifyPredictRequest/_VerifyModelSpec",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f([2.0], [1])}},
    answer={"model_spec": _spec(), "outputs": {"y": _f([3.0], [1])}},
)
_g(
    "predict_by_label_answers_number",
    UT + "MakeModelSpec (Clear, then name/signature/version)",
    "Predict",
    "half_plus_two",
    {
        "model_spec": {"name": "half_plus_two", "version_label": "Version_Label"},
        "inputs": {"x": _f([2.0], [1])},
    },  # derived
    answer={"model_spec": _spec(), "outputs": {"y": _f([3.0], [1])}},
)
_g(
    "predict_latest_of_two",
    SCT + "ModelSpecMultipleVersionsAvailable",
    "Predict",
    "half_plus_two_2v",
    {"model_spec": {"name": "half_plus_two_2v"}, "inputs": {"x": _f([2.0], [1])}},
    answer={"model_spec": _spec(version=124, name="half_plus_two_2v"), "outputs": {"y": _f([3.0], [1])}},
)
_g(
    "predict_regress_signature",
    PUT + "PredictionWithNamedRegressionSignature",
    "Predict",
    "half_plus_two",
    {
        "model_spec": {"name": "half_plus_two", "version": 123, "signature_name": "regress_x2_to_y3"},
        "inputs": {"inputs": _f([2.0])},
    },
    answer={"model_spec": _spec("regress_x2_to_y3"), "outputs": {"outputs": _f([4.0], [])}},
)
_g(
    "predict_classify_signature",
    PUT + "PredictionWithNamedClassificationSignature",
    "Predict",
    "half_plus_two",
    {
        "model_spec": {"name": "half_plus_two", "version": 123, "signature_name": "classify_x2_to_y3"},
        "inputs": {"inputs": _f([2.0])},
    },
    answer={"model_spec": _spec("classify_x2_to_y3"), "outputs": {"scores": _f([4.0], [])}},
)
_g(
    "predict_one_value_fills_the_shape",
    TFT + "FromProtoField",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f([2.0], [3])}},
    answer={"model_spec": _spec(), "outputs": {"y": _f([3.0, 3.0, 3.0], [3])}},
)  # derived
_g(
    "predict_last_value_repeats",
    TFT + "FromProtoField",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f([2.0, 4.0], [4])}},
    answer={"model_spec": _spec(), "outputs": {"y": _f([3.0, 4.0, 4.0, 4.0], [4])}},
)  # derived
_g(
    "predict_no_values_means_zeros",
    TFT + "FromProtoField",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f([], [2])}},
    answer={"model_spec": _spec(), "outputs": {"y": _f([2.0, 2.0], [2])}},
)  # derived
_g(
    "predict_surplus_values_dropped",
    TFT + "FromProtoField",
    "Predict",
    "half_plus_two",
    {"model_spec": _H, "inputs": {"x": _f([2.0, 4.0], [1])}},
    answer={"model_spec": _spec(), "outputs": {"y": _f([3.0], [1])}},
)  # derived
_g(
    "predict_signature_without_inputs",
    PUT + "PredictionWithCustomizedSignatures",
    "Predict",
    "counter",
    {"model_spec": {"name": "counter", "version": 123, "signature_name": "get_counter"}},
    answer={"model_spec": _spec("get_counter", name="counter"), "outputs": {"output": _f([0.0], [])}},
    note="send before any incr_counter",
)
_g(
    "predict_no_default_signature",
    PU + "RunPredict",
    "Predict",
    "counter",
    {"model_spec": {"name": "counter"}},
    _FP,
    message='Serving signature key "serving_default" not found.',
)  # derived
_g(
    "predict_long_message_truncated",
    "tensorflow_serving/model_servers/grpc_status_util.cc: ToGRPCStatus",
    "Predict",
    "half_plus_two",
    {"model_spec": {"name": "a" * 2000}},
    _NF,  # derived
    message=("Servable not found for request: Latest(" + "a" * 2000 + ")")[:1024] + "...TRUNCATED",
)
# ---- Classify
_EX80 = {
    "example_list": [{"x": {"float_list": [80.0]}, "locale": {"bytes_list": ["pt_BR"]}, "age": {"float_list": [19.0]}}]
}


def _cs(*rows):
    return {
        "example_list": [
            {"class": {"bytes_list": [c for c, _ in r]}, "score": {"float_list": [s for _, s in r]}} for r in rows
        ]
    }


_TWO = _cs([("dos", 2.0), ("uno", 1.0)], [("cuatro", 4.0), ("tres", 3.0)])
_CM = {"name": "classes"}
_g(
    "classify_no_model_spec",
    CST + "InvalidModelSpec",
    "Classify",
    "half_plus_two",
    {},
    _IA,
    message="Missing ModelSpec",
)
_g(
    "classify_empty_name",
    CST + "InvalidModelSpec",
    "Classify",
    "half_plus_two",
    {"model_spec": {}},
    _IA,
    message="ModelSpec has no name specified.",
)
_g(
    "classify_unknown_model",
    CST + "InvalidModelSpec",
    "Classify",
    "half_plus_two",
    {"model_spec": {"name": "foo"}},
    _NF,
    message="Servable not found for request: Latest(foo)",
)
_g(
    "classify_unknown_signature",
    CST + "InvalidSignature",
    "Classify",
    "half_plus_two",
    {"model_spec": {"name": "half_plus_two", "signature_name": "invalid_signature_name"}},
    _IA,
    message="No signature was found with the name: invalid_signature_name",
)
_g(
    "classify_ok_unknown_features_ignored",
    CST + "ClassificationSuccess",
    "Classify",
    "half_plus_two",
    {"model_spec": {"name": "half_plus_two", "signature_name": "classify_x_to_y"}, "input": _EX80},
    answer={"model_spec": _spec("classify_x_to_y"), "result": {"classifications": [[{"label": "", "score": 42.0}]]}},
)
_g(
    "classify_default_signature_named_in_answer",
    UT + "MakeModelSpec",
    "Classify",
    "classes",
    {"model_spec": _CM, "input": _TWO},  # derived
    answer={
        "model_spec": _spec(version=1, name="classes"),
        "result": {
            "classifications": [
                [{"label": "dos", "score": 2.0}, {"label": "uno", "score": 1.0}],
                [{"label": "cuatro", "score": 4.0}, {"label": "tres", "score": 3.0}],
            ]
        },
    },
)
_g(
    "classify_named_signature",
    CLT + "ValidNamedSignature",
    "Classify",
    "classes",
    {"model_spec": {"name": "classes", "signature_name": "output_plus_one"}, "input": _TWO},
    answer={
        "model_spec": _spec("output_plus_one", 1, "classes"),
        "result": {
            "classifications": [
                [{"label": "dos", "score": 3.0}, {"label": "uno", "score": 2.0}],
                [{"label": "cuatro", "score": 5.0}, {"label": "tres", "score": 4.0}],
            ]
        },
    },
)
_g(
    "classify_classes_only",
    CLT + "ClassesOnly",
    "Classify",
    "classes",
    {"model_spec": {"name": "classes", "signature_name": "classes_only"}, "input": _TWO},
    answer={
        "model_spec": _spec("classes_only", 1, "classes"),
        "result": {
            "classifications": [
                [{"label": "dos", "score": 0.0}, {"label": "uno", "score": 0.0}],
                [{"label": "cuatro", "score": 0.0}, {"label": "tres", "score": 0.0}],
            ]
        },
    },
)
_g(
    "classify_scores_only",
    CLT + "ScoresOnly",
    "Classify",
    "classes",
    {"model_spec": {"name": "classes", "signature_name": "scores_only"}, "input": _TWO},
    answer={
        "model_spec": _spec("scores_only", 1, "classes"),
        "result": {
            "classifications": [
                [{"label": "", "score": 2.0}, {"label": "", "score": 1.0}],
                [{"label": "", "score": 4.0}, {"label": "", "score": 3.0}],
            ]
        },
    },
)
_g(
    "classify_context",
    CLT + "ExampleListWithContext",
    "Classify",
    "classes",
    {
        "model_spec": _CM,
        "input": {
            "example_list_with_context": {
                "context": _cs([("dos", 2.0), ("uno", 1.0)])["example_list"][0],
                "examples": [{}, {}],
            }
        },
    },
    answer={
        "model_spec": _spec(version=1, name="classes"),
        "result": {"classifications": [[{"label": "dos", "score": 2.0}, {"label": "uno", "score": 1.0}]] * 2},
    },
)
for _k, _in in (
    ("no_input", {}),
    ("empty_list", {"example_list": []}),
    ("context_only", {"example_list_with_context": {"context": {"class": {"bytes_list": ["dos"]}}, "examples": []}}),
):
    _g(
        "classify_" + _k,
        CLT + "EmptyInput / EmptyExampleList / EmptyExampleListWithContext",
        "Classify",
        "classes",
        {"model_spec": _CM, "input": _in},
        _IA,
        message="Input is empty.",
    )
_g(
    "classify_rank3_scores",
    CLT + "MalformedScores; " + CL + "PostProcessClassificationResult",
    "Classify",
    "classes",
    {"model_spec": {"name": "classes", "signature_name": "rank3_scores"}, "input": _TWO},
    _IA,
    message="Expected Tensor shape: [batch_size num_classes] but got [2,2,10]",
)
_g(
    "classify_float_classes",
    CLT + "ClassesIncorrectTensorType",
    "Classify",
    "classes",
    {"model_spec": {"name": "classes", "signature_name": "float_classes"}, "input": _TWO},
    _IA,
    message="Expected classes Tensor of DT_STRING. Got: DT_FLOAT",
)
_g(
    "classify_classes_batch",
    CLT + "ClassesIncorrectTensorBatchSize",
    "Classify",
    "classes",
    {"model_spec": {"name": "classes", "signature_name": "one_row_classes"}, "input": _TWO},
    _IA,
    message="Expected classes output batch size of 2. Got: 1",
)
_g(
    "classify_scores_batch",
    CLT + "ScoresIncorrectTensorBatchSize",
    "Classify",
    "classes",
    {"model_spec": {"name": "classes", "signature_name": "one_row_scores"}, "input": _TWO},
    _IA,
    message="Expected scores output batch size of 2. Got: 1",
)
_g(
    "classify_width_differs",
    CL + "PostProcessClassificationResult",
    "Classify",
    "classes",
    {"model_spec": {"name": "classes", "signature_name": "wide_scores"}, "input": _TWO},
    _IA,
    message="Tensors class and score should match in dim_size(1). Got 2 vs. 3",
)  # derived
_g(
    "classify_predict_signature",
    CL + "PreProcessClassification",
    "Classify",
    "half_plus_two",
    {"model_spec": _H, "input": _EX80},
    _IA,
    message_contains="No classification inputs found in SignatureDef: ",
)  # derived
# ---- Regress
_RM, _OUT = (
    {"name": "regressors"},
    {"example_list": [{"output": {"float_list": [2.0]}}, {"output": {"float_list": [3.0]}}]},
)
_g("regress_no_model_spec", RST + "InvalidModelSpec", "Regress", "half_plus_two", {}, _IA, message="Missing ModelSpec")
_g(
    "regress_empty_name",
    RST + "InvalidModelSpec",
    "Regress",
    "half_plus_two",
    {"model_spec": {}},
    _IA,
    message="ModelSpec has no name specified.",
)
_g(
    "regress_unknown_model",
    RST + "InvalidModelSpec",
    "Regress",
    "half_plus_two",
    {"model_spec": {"name": "foo"}},
    _NF,
    message="Servable not found for request: Latest(foo)",
)
_g(
    "regress_unknown_signature",
    RST + "InvalidSignature",
    "Regress",
    "half_plus_two",
    {"model_spec": {"name": "half_plus_two", "signature_name": "invalid_signature_name"}},
    _IA,
    message="No signature was found with the name: invalid_signature_name",
)
_g(
    "regress_ok",
    RST + "RegressionSuccess",
    "Regress",
    "half_plus_two",
    {"model_spec": {"name": "half_plus_two", "signature_name": "regress_x_to_y"}, "input": _EX80},
    answer={"model_spec": _spec("regress_x_to_y"), "result": {"regressions": [42.0]}},
)
_g(
    "regress_vector_output",
    RGT + "BasicExampleList",
    "Regress",
    "regressors",
    {"model_spec": _RM, "input": _OUT},
    answer={"model_spec": _spec(version=1, name="regressors"), "result": {"regressions": [2.0, 3.0]}},
)
_g(
    "regress_column_output",
    RGT + "ValidNamedSignature",
    "Regress",
    "regressors",
    {"model_spec": {"name": "regressors", "signature_name": "column"}, "input": _OUT},
    answer={"model_spec": _spec("column", 1, "regressors"), "result": {"regressions": [3.0, 4.0]}},
)
_g(
    "regress_context",
    RGT + "BasicExampleListWithContext",
    "Regress",
    "regressors",
    {
        "model_spec": _RM,
        "input": {"example_list_with_context": {"context": {"output": {"float_list": [3.0]}}, "examples": [{}, {}]}},
    },
    answer={"model_spec": _spec(version=1, name="regressors"), "result": {"regressions": [3.0, 3.0]}},
)
_g("regress_no_input", RGT + "EmptyInput", "Regress", "regressors", {"model_spec": _RM}, _IA, message="Input is empty.")
_g(
    "regress_rank3",
    RGT + "MalformedOutputs; " + RG + "PostProcessRegressionResult",
    "Regress",
    "regressors",
    {"model_spec": {"name": "regressors", "signature_name": "rank3"}, "input": _OUT},
    _IA,
    message="Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [2,1,10]",
)
_g(
    "regress_batch_differs",
    RG + "PostProcessRegressionResult",
    "Regress",
    "regressors",
    {"model_spec": {"name": "regressors", "signature_name": "one_row"}, "input": _OUT},
    _IA,
    message="Input batch size did not match output batch size: 2 vs. 1",
)  # derived
_g(
    "regress_strings",
    RG + "PostProcessRegressionResult",
    "Regress",
    "regressors",
    {"model_spec": {"name": "regressors", "signature_name": "strings"}, "input": _OUT},
    _IA,
    message="Expected output Tensor of DT_FLOAT.  Got: DT_STRING",
)  # derived; two spaces are theirs
# ---- MultiInference
_X2 = {"example_list": [{"x": {"float_list": [2.0]}}]}


def _t(sig, method, name="half_plus_two", version=None):
    s = {"name": name, "signature_name": sig}
    if version:
        s["version"] = version
    return {"model_spec": s, "method_name": "tensorflow/serving/" + method}


_g(
    "multi_no_input",
    MIT + "MissingInputTest",
    "MultiInference",
    "half_plus_two",
    {"tasks": [_t("regress_x_to_y", "regress")]},
    _IA,
    message="Input is empty.",
)
_g(
    "multi_no_tasks",
    "multi_inference_helper.cc: GetModelSpecFromRequest; " + SC,
    "MultiInference",
    "half_plus_two",
    {"tasks": [], "input": _X2},
    _IA,
    message="ModelSpec has no name specified.",
)  # derived
_g(
    "multi_second_task_without_name",
    MI + "Infer",
    "MultiInference",
    "half_plus_two",
    {"tasks": [_t("regress_x_to_y", "regress"), _t("regress_x_to_y2", "regress", name="")], "input": _X2},
    _IA,
    message="Found ModelSpec with an empty model name.",
)  # derived
_g(
    "multi_unknown_signature",
    MIT + "UndefinedSignatureTest",
    "MultiInference",
    "half_plus_two",
    {"tasks": [_t("ThisSignatureDoesNotExist", "regress")], "input": _X2},
    _IA,
    message="Requested signature not found in model graph: ThisSignatureDoesNotExist",
)
_g(
    "multi_two_models",
    MIT + "InconsistentModelSpecsInRequestTest",
    "MultiInference",
    "half_plus_two",
    {
        "tasks": [_t("regress_x_to_y", "regress"), _t("regress_x_to_y", "regress", name="ModelDoesNotExist")],
        "input": _X2,
    },
    _IA,
    message="All ModelSpecs in a MultiInferenceRequest must access the same model name.",
)
_g(
    "multi_duplicate_signature",
    MIT + "EvaluateDuplicateSignaturesTest",
    "MultiInference",
    "half_plus_two",
    {"tasks": [_t("regress_x_to_y", "regress")] * 2, "input": _X2},
    _IA,
    message="Duplicate evaluation of signature: regress_x_to_y",
)
_g(
    "multi_predict_task",
    MIT + "UsupportedSignatureTypeTest",
    "MultiInference",
    "half_plus_two",
    {"tasks": [_t("serving_default", "predict")], "input": _X2},
    "UNIMPLEMENTED",
    message="Unsupported signature method_name: tensorflow/serving/predict",
)
_g(
    "multi_unknown_model",
    BM,
    "MultiInference",
    "half_plus_two",
    {"tasks": [_t("regress_x_to_y", "regress", name="nonexistent_model")], "input": _X2},
    _NF,
    message="Servable not found for request: Latest(nonexistent_model)",
)
_g(
    "multi_one",
    MIT + "ValidSingleSignatureTest",
    "MultiInference",
    "half_plus_two",
    {"tasks": [_t("regress_x_to_y", "regress", version=123)], "input": _X2},
    answer={"results": [{"model_spec": _spec("regress_x_to_y"), "regression_result": [3.0]}]},
)
_g(
    "multi_two_regressions",
    MIT + "MultipleValidRegressSignaturesTest",
    "MultiInference",
    "half_plus_two",
    {"tasks": [_t("regress_x_to_y", "regress"), _t("regress_x_to_y2", "regress")], "input": _X2},
    answer={
        "results": [
            {"model_spec": _spec("regress_x_to_y"), "regression_result": [3.0]},
            {"model_spec": _spec("regress_x_to_y2"), "regression_result": [4.0]},
        ]
    },
)
_g(
    "multi_regress_and_classify",
    MIT + "RegressAndClassifySignaturesTest; " + MSRV + "testMultiInference",
    "MultiInference",
    "half_plus_two",
    {"tasks": [_t("regress_x_to_y", "regress"), _t("classify_x_to_y", "classify")], "input": _X2},
    answer={
        "results": [
            {"model_spec": _spec("regress_x_to_y"), "regression_result": [3.0]},
            {"model_spec": _spec("classify_x_to_y"), "classification_result": [[{"label": "", "score": 3.0}]]},
        ]
    },
)
# ---- GetModelMetadata
_g(
    "metadata_no_model_spec",
    MDT + "MissingOrEmptyModelSpec",
    "GetModelMetadata",
    "half_plus_two",
    {"metadata_field": ["signature_def"]},
    _IA,
    message="Missing ModelSpec",
)
_g(
    "metadata_no_field",
    MDT + "EmptyOrInvalidMetadataFieldList",
    "GetModelMetadata",
    "half_plus_two",
    {"model_spec": _H},
    _IA,
    message="GetModelMetadataRequest must specify at least one metadata_field",
)
_g(
    "metadata_unknown_field",
    MDT + "EmptyOrInvalidMetadataFieldList; " + MD,
    "GetModelMetadata",
    "half_plus_two",
    {"model_spec": _H, "metadata_field": ["some_stuff"]},
    _IA,
    message="Metadata field some_stuff is not supported",
    note="older servers (97687024) print 'Metadata field %s is not supportedsome_stuff'",
)
_g(
    "metadata_empty_name",
    MDT + "MissingOrEmptyModelSpec",
    "GetModelMetadata",
    "half_plus_two",
    {"model_spec": {}, "metadata_field": ["signature_def"]},
    _IA,
    message="ModelSpec has no name specified.",
)
_g(
    "metadata_unknown_model",
    MDT + "MissingOrEmptyModelSpec",
    "GetModelMetadata",
    "half_plus_two",
    {"model_spec": {"name": "test"}, "metadata_field": ["signature_def"]},
    _NF,
    message="Servable not found for request: Latest(test)",
)
_g(
    "metadata_ok",
    MDT + "ReturnsSignaturesForValidModel",
    "GetModelMetadata",
    "half_plus_two",
    {"model_spec": {"name": "half_plus_two", "version": 123}, "metadata_field": ["signature_def"]},
    answer={
        "model_spec": {"name": "half_plus_two", "version": 123, "signature_name": ""},
        "metadata": {"signature_def": {"type": "tensorflow.serving.SignatureDefMap", "signatures": sorted(_SIGS)}},
    },
)
_g(
    "metadata_version_filled_in",
    MD + "SavedModelGetSignatureDef",
    "GetModelMetadata",
    "half_plus_two",
    {
        "model_spec": {"name": "half_plus_two", "signature_name": "ignored"},
        "metadata_field": ["signature_def"],
    },  # derived: request's signature_name is neither checked nor echoed
    answer={
        "model_spec": {"name": "half_plus_two", "version": 123, "signature_name": ""},
        "metadata": {"signature_def": {"type": "tensorflow.serving.SignatureDefMap", "signatures": sorted(_SIGS)}},
    },
)
# ---- ModelService.GetModelStatus
_ok = {"error_code": "OK", "error_message": ""}
_g(
    "status_no_model_spec",
    MST + "MissingOrEmptyModelSpecFailure",
    "GetModelStatus",
    "half_plus_two",
    {},
    _IA,
    service=MSS,
    message="Missing ModelSpec",
)
_g(
    "status_empty_name",
    MS + "GetModelStatusWithModelSpec",
    "GetModelStatus",
    "half_plus_two",
    {"model_spec": {}},
    _NF,
    service=MSS,
    message="Could not find any versions of model ",
)  # derived: NOT_FOUND here, INVALID_ARGUMENT everywhere else
_g(
    "status_unknown_model",
    MST + "InvalidModelNameFailure",
    "GetModelStatus",
    "half_plus_two",
    {"model_spec": {"name": "nonexistent_model"}},
    _NF,
    service=MSS,
    message="Could not find any versions of model nonexistent_model",
)
_g(
    "status_unknown_version",
    MST + "InvalidModelVersionFailure",
    "GetModelStatus",
    "half_plus_two_2v",
    {"model_spec": {"name": "half_plus_two_2v", "version": 125}},
    _NF,
    service=MSS,
    message="Could not find version 125 of model half_plus_two_2v",
)
_g(
    "status_all",
    MST + "AllVersionsSuccess",
    "GetModelStatus",
    "half_plus_two_2v",
    {"model_spec": {"name": "half_plus_two_2v"}},
    service=MSS,
    answer={
        "model_version_status": [
            {"version": 124, "state": "AVAILABLE", "status": _ok},
            {"version": 123, "state": "AVAILABLE", "status": _ok},
        ]
    },
)
_g(
    "status_one",
    MST + "SingleVersionSuccess",
    "GetModelStatus",
    "half_plus_two_2v",
    {"model_spec": {"name": "half_plus_two_2v", "version": 123}},
    service=MSS,
    answer={"model_version_status": [{"version": 123, "state": "AVAILABLE", "status": _ok}]},
)
_g(
    "status_label_ignored",
    MS + "GetModelStatusWithModelSpec",
    "GetModelStatus",
    "half_plus_two_2v",
    {"model_spec": {"name": "half_plus_two_2v", "version_label": "whatever"}},
    service=MSS,
    answer={
        "model_version_status": [
            {"version": 124, "state": "AVAILABLE", "status": _ok},
            {"version": 123, "state": "AVAILABLE", "status": _ok},
        ]
    },
)  # derived
# ---- ModelService.HandleReloadConfigRequest ("$BASE" = the directory of the model that is being served)
_HM = {"name": "half_plus_two", "base_path": "$BASE", "model_platform": "tensorflow"}


def _cfg(*models):
    return {"config": {"model_config_list": list(models)}}


_RC = "HandleReloadConfigRequest"
_g(
    "reload_nothing_set",
    MSV + "HandleReloadConfigRequest",
    _RC,
    "half_plus_two",
    {},
    _IA,
    service=MSS,
    message="ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported",
)  # derived
_g(
    "reload_custom_config",
    MSV + "HandleReloadConfigRequest",
    _RC,
    "half_plus_two",
    {"config": {"custom_model_config": {}}},
    _IA,
    service=MSS,
    message="ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported",
)  # derived
_g(
    "reload_same",
    SCT + "ReloadConfigWaitsTillModelsAvailable",
    _RC,
    "half_plus_two",
    _cfg(_HM),
    service=MSS,
    answer={"status": _ok},
)
_g(
    "reload_duplicate_name",
    SCT + "DuplicateModelNameInConfig; " + SC + "ValidateModelConfigList",
    _RC,
    "half_plus_two",
    _cfg(_HM, _HM),
    _IA,
    service=MSS,
    message="Illegal to list model half_plus_two multiple times in config list",
)
_g(
    "reload_relative_path",
    SC + "ValidateModelConfigList",
    _RC,
    "half_plus_two",
    _cfg({"name": "m", "base_path": "rel/path", "model_platform": "tensorflow"}),
    _IA,
    service=MSS,
    message="Expected model m to have an absolute path or URI; got base_path()=rel/path",
)  # derived
_g(
    "reload_empty_path",
    SC + "UriIsRelativePath",
    _RC,
    "half_plus_two",
    _cfg({"name": "m", "model_platform": "tensorflow"}),
    _IA,
    service=MSS,
    message="Expected model m to have an absolute path or URI; got base_path()=",
)  # derived
_g(
    "reload_no_platform",
    SC + "GetPlatform",
    _RC,
    "half_plus_two",
    _cfg({"name": "half_plus_two", "base_path": "$BASE"}),
    _IA,
    service=MSS,
    message="Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform.",
)  # derived
_g(
    "reload_type_and_platform",
    SCT + "IllegalConfigModelTypeAndPlatformSet",
    _RC,
    "half_plus_two",
    _cfg({"name": "half_plus_two", "base_path": "$BASE", "model_platform": "tensorflow", "model_type": "TENSORFLOW"}),
    _IA,
    service=MSS,
    message="Illegal setting both ModelServerConfig::model_type (deprecated) and ModelServerConfig::model_platform.",
)
_g(
    "reload_deprecated_type_accepted",
    SCT + "DeprecatedModelTypeConfig",
    _RC,
    "half_plus_two",
    _cfg({"name": "half_plus_two", "base_path": "$BASE", "model_type": "TENSORFLOW"}),
    service=MSS,
    answer={"status": _ok},
)
_g(
    "reload_type_other",
    SC + "GetPlatform",
    _RC,
    "half_plus_two",
    _cfg({"name": "half_plus_two", "base_path": "$BASE", "model_type": "OTHER"}),
    _IA,
    service=MSS,
    message="ModelServerConfig::model_type choice 2 not supported.",
)  # derived
_g(
    "reload_unknown_platform_new_model",
    SCT + "UnknownModelPlatform; " + SC + "CreateStoragePathRoutes",
    _RC,
    "half_plus_two",
    _cfg(_HM, {"name": "m", "base_path": "/models/m", "model_platform": "not_a_known_platform"}),
    _IA,
    service=MSS,
    message="Model m requests unsupported platform not_a_known_platform",
)
_g(
    "reload_platform_change",
    SCT + "IllegalToChangeModelPlatform",
    _RC,
    "half_plus_two",
    _cfg({"name": "half_plus_two", "base_path": "$BASE", "model_platform": "other"}),
    _IA,
    service=MSS,
    message="Illegal to change a model's platform. For model half_plus_two platform was tensorflow and new platform requested is other",
)
_g(
    "reload_label_for_missing_version",
    SCT + "AssignLabelToUnavailableVersion",
    _RC,
    "half_plus_two",
    _cfg(dict(_HM, version_labels={"nice try": 777})),
    _FP,
    service=MSS,
    message="Request to assign label to version 777 of model half_plus_two, which is not currently available for inference",
)
_g(
    "reload_label_for_missing_version_allowed",
    SCT + "AssignLabelToUnavailableVersionAllowed",
    _RC,
    "half_plus_two",
    _cfg(dict(_HM, version_labels={"nice try": 777})),
    service=MSS,
    needs="--allow_version_labels_for_unavailable_models=true",
    answer={"status": _ok},
)
_g(
    "reload_existing_label_to_missing_version",
    SCT + "AssignExistingLabelToUnavailableVersion",
    _RC,
    "half_plus_two",
    _cfg(dict(_HM, version_labels={"Version_Label": 777})),
    _FP,
    service=MSS,
    needs="--allow_version_labels_for_unavailable_models=true",
    message="Request to assign label to version 777 of model half_plus_two, which is not currently available for inference",
)
_g(
    "reload_label_for_model_added_in_same_request",
    SC + "ReloadConfig (labels are checked BEFORE models are added)",
    _RC,
    "half_plus_two",
    _cfg(_HM, {"name": "m", "base_path": "$OTHER", "model_platform": "tensorflow", "version_labels": {"stable": 1}}),
    _FP,
    service=MSS,  # derived
    message="Request to assign label to version 1 of model m, which is not currently available for inference",
)
_g(
    "reload_empty_list_unloads_all",
    SCT + "ReloadConfigUnloadsModels",
    _RC,
    "half_plus_two",
    _cfg(),
    service=MSS,
    answer={"status": _ok},
    note="returns before the unload is finished; send last",
)
_g(
    "reload_broken_new_model",
    SC + "WaitUntilModelsAvailable",
    _RC,
    "half_plus_two",
    _cfg(_HM, {"name": "bad", "base_path": "$BROKEN", "model_platform": "tensorflow"}),
    "UNKNOWN",
    service=MSS,  # derived; only after max_num_load_retries
    message_contains="1 model(s) did not become available: {{{name: bad version: 1} due to error: ",
)
