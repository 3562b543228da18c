// SPDX-License-Identifier: Apache-2.0
//
// Every error code, once: what docs/errors.md lists. Codes are stable for ever; a code that is no
// longer used stays, marked so. E01 structure of a graph, E02 types and shapes, E03 arrays, E04
// sizes and limits, E05 files and text, E06 run time, E07 devices, E08 compiler, E09 models of other
// formats, E90 our own bugs.
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

using absl::StatusCode;

constexpr ErrorCode kErrorCodes[] = {
    {"E0101", "unknown-op", StatusCode::kInvalidArgument,
     "The graph names an op that the registry does not have, or a registry already has an op of "
     "that name. "
     "docs/ops.md lists the standard ops; names are case-sensitive and follow ONNX."},
    {"E0102", "bad-attribute", StatusCode::kInvalidArgument,
     "An attribute is unknown to the op, missing, of another kind than declared, or none of the "
     "values that "
     "the op admits. The op's entry in docs/ops.md lists its attributes with their defaults."},
    {"E0103", "wrong-arity", StatusCode::kInvalidArgument, "An op got more or fewer inputs than it takes."},
    {"E0104", "duplicate-name", StatusCode::kInvalidArgument,
     "Two inputs, two outputs or two values of one graph have the same name."},
    {"E0105", "not-a-value", StatusCode::kInvalidArgument,
     "An operand is not a value of this graph: it comes from another GraphBuilder, was never "
     "built, or an op "
     "was given numbers alone."},
    {"E0106", "cycle", StatusCode::kInvalidArgument,
     "A value depends on itself. The message lists the nodes of one cycle."},
    {"E0107", "unknown-name", StatusCode::kNotFound,
     "No value, input or output of that name exists in the graph. The message offers the nearest "
     "name."},
    {"E0201", "shape-mismatch", StatusCode::kInvalidArgument,
     "Two dims that must be equal cannot be: an integer against another integer, N against N + 1. Of dims "
     "that may be equal it is assumed, and runs check it (E0619). Where a Reshape, a Transpose or a "
     "declaration makes them agree, the help line gives it."},
    {"E0202", "not-broadcastable", StatusCode::kInvalidArgument,
     "Shapes do not broadcast by NumPy's rules: aligned at the last dim, each pair of dims must be "
     "equal or one of them 1. Of a symbol and another size it is assumed that they are equal, and runs check "
     "it (E0619): a symbol that is 1 in a run is not broadcast."},
    {"E0203", "bad-axis", StatusCode::kInvalidArgument, "An axis is outside [-rank, rank), or named twice."},
    {"E0204", "bad-literal", StatusCode::kInvalidArgument,
     "A number written as an operand does not fit the dtype of the other operands: an integer out "
     "of range, "
     "a fraction for an integer tensor, or a value that would become infinite. Or there is no "
     "other operand "
     "from which the literal could take its dtype."},
    {"E0205", "dtype-mismatch", StatusCode::kInvalidArgument,
     "Operands that must have one dtype have several. Tenfold never promotes in silence; the help "
     "line names "
     "the Cast that loses nothing."},
    {"E0206", "dtype-not-admitted", StatusCode::kInvalidArgument,
     "The op is not defined for this dtype. docs/ops.md lists the dtypes that each op admits."},
    {"E0207", "rank-mismatch", StatusCode::kInvalidArgument,
     "A tensor has fewer or more dims than the op needs."},
    {"E0208", "bad-reshape", StatusCode::kInvalidArgument,
     "The requested shape does not hold as many elements as the tensor has, names -1 more than "
     "once, or is "
     "not known while the graph is built."},
    {"E0209", "unknown-rank", StatusCode::kInvalidArgument,
     "The op, or the compiler, needs to know how many dims a value has. Declare the input's shape, "
     "with "
     "symbols for the sizes that vary: f32[N,64]."},
    {"E0210", "bad-type-text", StatusCode::kInvalidArgument,
     "A type or dim is not written as f32[N,64]: a dtype, then dims in brackets, each an integer "
     "expression "
     "over symbols."},
    {"E0211", "value-not-known", StatusCode::kInvalidArgument,
     "The shape of a result follows from the values of an operand, such as the starts of a Slice, and they "
     "are "
     "not known while the graph is built: they are fed, or computed from what is fed. Write them as a "
     "constant, "
     "or compute them from constants and from shapes (Shape, Gather, Concat, Add and the like are followed). "
     "Shapes that only a run could tell are not supported yet."},
    {"E0212", "bad-sizes", StatusCode::kInvalidArgument,
     "Sizes, counts or positions that an op is given do not fit its tensor: parts that do not add up to the "
     "dim "
     "which is split, a step of 0, a list with another number of elements than there are axes, a count below "
     "0. The message has what was given and what would fit."},
    {"E0221", "unstable-shape", StatusCode::kInvalidArgument,
     "A loop gives values whose shape changes from one iteration to the next where that cannot be: rows that "
     "are to be stacked have one shape, and the shape of a carried value must come to rest when its changing "
     "sizes are taken as symbols. Pad or Reshape them in the body, or carry them along by Concat."},
    {"E0301", "not-numeric", StatusCode::kInvalidArgument,
     "An array holds text or byte strings where numbers are due. Text is never read as numbers by "
     "itself: the "
     "message shows the first element, and the help line a command that makes numbers of the "
     "text."},
    {"E0302", "object-array", StatusCode::kInvalidArgument,
     "An array holds pickled Python objects. Unpickling can run any code, so Tenfold has no "
     "unpickler. The message shows the first element that is no number, which is found by walking "
     "the pickle without running it, and the help line a command for whoever trusts the file."},
    {"E0303", "unsupported-array-dtype", StatusCode::kInvalidArgument,
     "An array's elements are of a type that Tenfold or the file format does not have: complex "
     "numbers, long "
     "doubles, dates, records, raw bytes; or bf16, f8, i4 and u4, which .npy files cannot hold, and the last "
     "two no .safetensors file."},
    {"E0304", "bad-bool", StatusCode::kInvalidArgument,
     "A bool array has a byte other than 0 and 1. Whether it means true is not for a reader to "
     "guess."},
    {"E0305", "truncated-array", StatusCode::kInvalidArgument,
     "A file ends before its array does. It was cut off while it was written or copied."},
    {"E0306", "trailing-bytes", StatusCode::kInvalidArgument,
     "A file goes on after its array: several arrays were saved into it, or its shape is not the "
     "true one."},
    {"E0307", "not-npy", StatusCode::kInvalidArgument,
     "A file is empty, does not begin as .npy files do, or is of a version that is not known."},
    {"E0308", "bad-npy-header", StatusCode::kInvalidArgument,
     "The header of an .npy file is not the dict of 'descr', 'fortran_order' and 'shape' that "
     "NumPy writes. "
     "Headers are parsed strictly and never evaluated."},
    {"E0310", "bad-npz", StatusCode::kInvalidArgument,
     "An .npz file is no zip archive, is damaged (a checksum or a size is wrong), encrypted, or "
     "compressed by "
     "another method than deflate."},
    {"E0311", "no-such-array", StatusCode::kNotFound,
     "An archive or a .safetensors file has no array of that name. The message lists the names that it "
     "has; those of an archive without \".npy\"."},
    {"E0312", "duplicate-array", StatusCode::kInvalidArgument,
     "Two arrays of one archive or .safetensors file have the same name, so that neither can be meant by "
     "it."},
    {"E0313", "bad-array-name", StatusCode::kInvalidArgument,
     "An array's name cannot be stored in the file: it is empty or no UTF-8; in an .npz archive, too "
     "long, with '/' at its end or a zero byte in it; in a .safetensors file, the format's own "
     "__metadata__."},
    {"E0320", "cast-refused", StatusCode::kInvalidArgument,
     "An array has another dtype than is due, and no cast was asked for. The message says what the best cast "
     "would do to its values, and the help line asks for it: cast=exact refuses every changed value, "
     "cast=nearest rounds half to even, cast=saturate also takes the end of the range for what lies beyond."},
    {"E0321", "value-does-not-fit", StatusCode::kInvalidArgument,
     "A cast that was asked for would change a value in a way that its rule forbids: cast=exact any change, "
     "cast=nearest a finite value that rounds to none of the target's. The message shows the first such "
     "element and how many there are."},
    {"E0322", "not-finite", StatusCode::kInvalidArgument,
     "An array with NaN or Inf was to become integers or bools, which have neither. No cast rule makes a "
     "number of them; a NaN policy can put one in the place of NaN before the cast."},
    {"E0323", "nan-refused", StatusCode::kInvalidArgument,
     "An array that was read with nan=refuse has a NaN. The message shows the first one and how many there "
     "are."},
    {"E0324", "no-finite-value", StatusCode::kInvalidArgument,
     "A NaN was to become the mean or the median of the values along an axis, none of which is finite."},
    {"E0325", "bad-policy", StatusCode::kInvalidArgument,
     "A policy for an array does not suit it: nan=mean and nan=median need an axis when an array has more "
     "than "
     "one, and the axis must lie in [-rank, rank)."},
    {"E0326", "text-not-number", StatusCode::kInvalidArgument,
     "An array of text was read with text=parse, and an element is no number of the dtype that is due. "
     "Numbers "
     "are written with a point, whatever the locale."},
    {"E0330", "bad-safetensors", StatusCode::kInvalidArgument,
     "A .safetensors file has no header, or one that is not the JSON object of dtypes, shapes and "
     "data_offsets that the format asks for, or contradicts itself: a size is not the shape's, two "
     "tensors overlap, or bytes belong to none."},
    {"E0331", "ragged-list", StatusCode::kInvalidArgument,
     "Nested lists do not form an array: two lists at the same depth differ in length, or one place "
     "holds a list where another holds a number. The message gives the index path of the first that "
     "differs."},
    {"E0332", "bad-view", StatusCode::kInvalidArgument,
     "A view of memory by dims and strides reaches outside the memory that it was given, or its dims "
     "and strides are no view at all."},
    {"E0333", "bad-dlpack", StatusCode::kInvalidArgument,
     "A DLPack tensor cannot be taken over: it lies on a device that is not the CPU, its elements are of "
     "a type that Tenfold does not have, or the struct contradicts itself."},
    {"E0334", "cannot-borrow", StatusCode::kInvalidArgument,
     "An array cannot stay where it is, as storage = borrow or mmap asks: the memory is not aligned to "
     "its elements, not of the right size or order, or the source is no such memory or file. With "
     "storage = copy it can be copied."},
    {"E0402", "too-large", StatusCode::kResourceExhausted,
     "A size overflows 64 bits, exceeds a limit, or the memory for it cannot be had. The limits, one flag "
     "each, are listed in docs/security.md; the help line shows the one that would allow what was refused."},
    {"E0403", "wrong-element-count", StatusCode::kInvalidArgument,
     "The number of values given is not the product of the shape's dims."},
    {"E0404", "memory-limit", StatusCode::kResourceExhausted,
     "A run would hold more memory than the caller allows (--memory-limit). It is refused before it begins: "
     "what a run holds follows from the shapes of its inputs. Constants, intermediates, outputs and the "
     "scratch memory of all threads count; inputs, which are the caller's, and code do not. The table shows "
     "what is largest. Intermediates that are never needed together share memory, so their sum may be more "
     "than what is counted."},
    {"E0501", "bad-syntax", StatusCode::kInvalidArgument,
     "A text graph or a tensor literal is not written as the grammar in docs/file-format.md says. "
     "The message shows the place and what could stand there."},
    {"E0502", "bad-graph-file", StatusCode::kInvalidArgument,
     "A file is no .tnf graph, is cut off, has been changed since it was written (its checksum "
     "differs), or its structure contradicts itself."},
    {"E0503", "unsupported-version", StatusCode::kInvalidArgument,
     "A graph file is in a version of the format that this Tenfold does not read. A later Tenfold "
     "reads what an earlier one wrote, not the reverse."},
    {"E0504", "type-disagrees", StatusCode::kInvalidArgument,
     "A type written in a graph file is not the type that follows from the ops, or that the "
     "referenced array has. Nothing is converted in silence; in text, types of results may be left "
     "out."},
    {"E0505", "contents-left-out", StatusCode::kInvalidArgument,
     "A text graph was printed with its large constants shortened to `...`, so it can be looked at, "
     "but not read back."},
    {"E0506", "bad-element", StatusCode::kInvalidArgument,
     "A number in the contents of a constant does not fit its dtype: an integer out of range, a "
     "fraction for an integer, a decimal that would become infinite, or no number at all."},
    {"E0521", "file-not-found", StatusCode::kNotFound,
     "There is no file at the path. The help line offers the nearest name in that folder."},
    {"E0522", "cannot-read", StatusCode::kFailedPrecondition,
     "A path cannot be read: it is a folder, a pipe or a device, the system refuses, or the file "
     "changed while "
     "it was read."},
    {"E0523", "cannot-write", StatusCode::kFailedPrecondition,
     "A file cannot be written: the disk is full, the folder is missing or forbidden, or something "
     "that is no "
     "regular file is there. What was there before is unchanged."},
    {"E0524", "bad-reference", StatusCode::kInvalidArgument,
     "A reference to an array in a file is written neither as FILE.npy nor as FILE.npz:NAME or "
     "FILE.safetensors:NAME."},
    {"E0525", "reference-outside", StatusCode::kPermissionDenied,
     "A graph refers to a file outside its own folder: by an absolute path, by '..', or by a "
     "symbolic link. "
     "Graph files are not trusted, so they may name only files beneath the folder in which they "
     "lie."},
    {"E0530", "wrong-constants-file", StatusCode::kFailedPrecondition,
     "The .safetensors file beside a graph, which holds its large constants, is not the one that the "
     "graph was saved with, or its contents have been changed since. The two files belong together: "
     "copy both, or save the graph again."},
    {"E0601", "integer-division-by-zero", StatusCode::kInvalidArgument,
     "An integer was divided by zero while the graph ran. The message names the node and the index "
     "of the "
     "first such element. Where a zero can occur, choose another divisor there, and, if it matters, "
     "another quotient: the message has the statements."},
    {"E0602", "unknown-input", StatusCode::kNotFound,
     "A run was fed a value under a name that is no input of the graph, or a command line gives a "
     "file without saying which input or output it is for. The message has the names that there are, "
     "or the nearest."},
    {"E0603", "missing-input", StatusCode::kInvalidArgument, "A run was not fed all inputs of the graph."},
    {"E0604", "input-dtype", StatusCode::kInvalidArgument,
     "A run was fed a tensor of another dtype than the input declares. Nothing is converted in "
     "silence: cast "
     "the array where it is loaded, with a policy for values that do not fit, or declare the input "
     "otherwise."},
    {"E0605", "input-shape", StatusCode::kInvalidArgument,
     "A run was fed a tensor whose rank or extents are not those that the input declares, or a "
     "number of values from which its extents do not follow. The message has both places: where "
     "the input is declared, and what RunOptions::origins says of the feed, a file if it is one of "
     "tenfold-run."},
    {"E0606", "symbol-conflict", StatusCode::kInvalidArgument,
     "One symbol would have two values: two dims that name it were fed with different extents."},
    {"E0607", "symbol-out-of-bounds", StatusCode::kOutOfRange,
     "An extent lies outside the bounds that its symbol was declared with."},
    {"E0608", "unbound-symbol", StatusCode::kInvalidArgument,
     "The value of a symbol follows from no input: it occurs in none, or only inside expressions "
     "that cannot "
     "be solved for it. Declare an input that has the bare symbol as a dim."},
    {"E0609", "fed-twice", StatusCode::kInvalidArgument, "A run was fed two values for one input."},
    {"E0610", "deadline-exceeded", StatusCode::kDeadlineExceeded,
     "The deadline that the caller set for a run, or for compilation, passed before it ended. Outputs of "
     "the run are not valid. A run ends within some milliseconds of its deadline, inside long kernels "
     "too."},
    {"E0611", "cancelled", StatusCode::kCancelled,
     "The caller cancelled a run, or compilation, before it ended: Ctrl-C does so in tenfold-run. Outputs "
     "of the run are not valid."},
    {"E0612", "contract-nan", StatusCode::kInvalidArgument,
     "A run was fed a NaN in a column in which the samples of the input's contract had none. Usually it "
     "means that a value is missing, and a graph turns one NaN into a whole row of them. The message has "
     "the first such value; rows and columns count from 0. Mend the array, or replace what is missing where "
     "it is loaded (`--nan x=median:axis=0`), or run with a warning (`--contract=warn`). If NaN is right "
     "there, make the contract anew with `tenfold-import --contract`, from samples that have it too."},
    {"E0613", "contract-range", StatusCode::kInvalidArgument,
     "A run was fed values outside the range that the samples of the input's contract had in that column: "
     "another unit, a column in another's place, a scale that was forgotten. The message has the first such "
     "value and the range. Mend the array, or run with a warning (`--contract=warn`). If such values are "
     "right, make the contract anew with `tenfold-import --contract`, from samples that have them too."},
    {"E0614", "empty-contract", StatusCode::kInvalidArgument,
     "The samples that a contract was to be made from hold no values: a contract that has seen nothing "
     "could only refuse everything or nothing. Name an array with at least one row."},
    {"E0615", "index-out-of-range", StatusCode::kOutOfRange,
     "A tensor of indices or lengths holds a value that is none while the graph runs: an index outside the "
     "dim "
     "which it points into. The message names the node, the element and the range. Negative indices count "
     "from "
     "the end. Where such values can occur, bring them into range first, or choose with Where."},
    {"E0616", "nan-found", StatusCode::kFailedPrecondition,
     "`tenfold-run --validate` found a NaN. Named is the first value, in the order of the graph, that holds "
     "one "
     "while what it is computed of holds none: there it arises, and what is computed of it holds NaN, too. "
     "The "
     "usual makers are 0/0, Inf - Inf, 0 * Inf, the logarithm or root of a negative number, and the mean of "
     "nothing. In a feed or a constant it most often stands for a missing value: `--nan` says what becomes "
     "of "
     "those."},
    {"E0617", "infinity-found", StatusCode::kFailedPrecondition,
     "`tenfold-run --validate` found an infinity that arises: the node is the first, in the order of the "
     "graph, "
     "that gives one though what it is computed of is finite. It is an overflow, a division by zero or the "
     "logarithm of 0. Subtract the maximum before an Exp, add a small number to a divisor, clip, or compute "
     "in a "
     "wider dtype. Infinities that the graph is given, in feeds, constants and attributes, as masks have "
     "them, "
     "are no error."},
    {"E0618", "values-differ", StatusCode::kFailedPrecondition,
     "`tenfold-run --compare-with` found a value that differs between two graphs on the same feeds. Named is "
     "the "
     "first in the order of the first graph, by its name in both, with the node that computes it in each: "
     "values "
     "before it agree as far as both graphs have them, so the cause lies in these nodes, or in what only one "
     "of "
     "the graphs has before them. Differences that rounding explains are let pass by --rtol and --atol."},
    {"E0619", "sizes-disagree", StatusCode::kInvalidArgument,
     "The graph takes it for granted that two sizes are equal which follow from what is fed: a dim of an "
     "operand and that of another, with which it is added, or the elements of a tensor and those of the "
     "shape "
     "that it is given. While the graph is built such sizes can only be refused where they cannot be equal; "
     "every run checks the others before it computes anything. The message names the node, the two sizes and "
     "what they follow from. A size that is 1 is broadcast only where the graph says that it is 1."},
    {"E0701", "no-device", StatusCode::kUnavailable,
     "The device asked for is not there: no GPU, no driver, or a driver or GPU that is too old "
     "(kernels need "
     "compute capability 8.0). The device \"cpu\" computes the same bits."},
    {"E0702", "device-failure", StatusCode::kUnavailable,
     "A GPU refused or failed an operation. The message says which and carries the driver's name "
     "for it; "
     "nvidia-smi and the system's log say more."},
    {"E0703", "device-memory", StatusCode::kResourceExhausted,
     "The GPU has not enough free memory. nvidia-smi shows what holds it."},
    {"E0704", "device-kernel-too-large", StatusCode::kResourceExhausted,
     "A fused kernel has more operands or reductions than a GPU kernel can have. Fuse fewer ops "
     "into one "
     "kernel."},
    {"E0711", "device-needs-sizes", StatusCode::kUnimplemented,
     "A GPU was asked for by name, but a node of the graph gives a result whose size follows from values, "
     "such as "
     "a loop that ends by a condition. Device memory is placed before a run, so such graphs run on the CPU: "
     "\"cpu\" and \"auto\" do so."},
    {"E0801", "not-fusible", StatusCode::kFailedPrecondition,
     "A group of nodes does not have the form of one kernel. The fusion pass asks by trying, and the reason "
     "stands in its remark; it is never seen as an error of a graph."},
    {"E0802", "bad-option", StatusCode::kInvalidArgument,
     "A compile option names a pass or an optimization level that does not exist."},
    {"E0901", "bad-onnx-file", StatusCode::kInvalidArgument,
     "The file is no ONNX model, or damaged: its bytes are no protobuf message, there is no graph in it, or "
     "a "
     "tensor in it does not say what its elements are. Nothing of such a file is used. Models of other "
     "formats "
     "(.pt, .h5, .tflite) are exported to ONNX by their own tools."},
    {"E0902", "bad-onnx-external-data", StatusCode::kInvalidArgument,
     "A model names a file beside it that holds some of its weights, and they are not there: the file is "
     "shorter than the model says, the place in it is no number, or the model is read from memory, where "
     "there is no folder to look in. The two files belong together; copy both."},
    {"E0903", "onnx-op-not-supported", StatusCode::kUnimplemented,
     "The model uses an op that Tenfold does not have, of another domain than ai.onnx, or in a form that an "
     "early opset had. All that cannot be imported is listed at once, each op with its nodes; "
     "--diagnostics=json gives the list to a program. A converter to a newer opset (onnx.version_converter), "
     "or another export, often removes what is listed."},
    {"E0904", "onnx-attribute-not-supported", StatusCode::kUnimplemented,
     "A node has an attribute, or a value of one, that Tenfold's op of that name does not have, or lacks one "
     "that it needs. Attributes that make no difference are ignored; those listed would change the result."},
    {"E0905", "onnx-dtype-not-supported", StatusCode::kUnimplemented,
     "A value of the model is no tensor of a dtype that Tenfold has: a text, a complex number, a sequence, "
     "an "
     "optional, a map or a sparse tensor. docs/onnx.md lists the dtypes."},
    {"E0906", "onnx-value-not-constant", StatusCode::kInvalidArgument,
     "Types of results follow from an input of a node, such as the axes of a reduction, so that its values "
     "must be known while the model is imported: a constant, or what follows from constants and from shapes. "
     "An input of the model is made one by tenfold-import --constant NAME=ARRAY."},
    {"E0907", "onnx-opset-not-supported", StatusCode::kUnimplemented,
     "The model is written for an opset that is newer than those that this Tenfold knows, so that an op in "
     "it "
     "may mean something else. onnx.version_converter writes it for an older one."},
    {"E0908", "bad-onnx-graph", StatusCode::kInvalidArgument,
     "The graph of a model is not well formed: a node reads what no earlier one gives, a name is given "
     "twice, "
     "a body or a function does not fit its call, or functions call each other in a circle. "
     "onnx.checker.check_model says the same."},
    {"E9001", "internal-error", StatusCode::kInternal,
     "A check inside Tenfold failed: a bug of ours, not of the graph. Please report it with the graph and "
     "the command."},
};

}  // namespace

std::span<const ErrorCode> AllErrorCodes() { return kErrorCodes; }

const ErrorCode& FindErrorCode(absl::string_view id) {
  for (const ErrorCode& code : kErrorCodes) {
    if (code.id == id) return code;
  }
  return kErrorCodes[std::size(kErrorCodes) - 1];
}

}  // namespace tenfold
