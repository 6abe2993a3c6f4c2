// SPDX-License-Identifier: Apache-2.0
// A line for each key of a model file.
#include "src/operators/model_keys.hpp"

#include <fmt/format.h>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {

ModelKeyText model_key_line(const std::string& path) {
  // Path, type where the table of keys does not give it, default, text.
  static const std::vector<ModelKeyText> lines{
      {"model.kind", "", "",
       "a Fourier neural operator, a DeepONet (`branch` … `activation`, `data.points`, and of the others "
       "`end_point`) or MgNO (`width`, `layers`, `smoothing` … `end_point`): see [multigrid](multigrid.md)"},
      {"model.modes", "", "this or `frequencies`", "m means −m … m − 1, on the last axis 0 … m − 1"},
      {"model.frequencies", "list of pairs", "none",
       "instead, the lowest and highest frequency of each axis: `[[-8, 7], [0, 8]]`"},
      {"model.width", "", "32", "channels inside"},
      {"model.layers", "", "4", "spectral layers, or multigrid cycles"},
      {"model.lifting", "", "0", "hidden channels of the lifting; 0: it is linear"},
      {"model.projection", "", "128", "hidden channels of the projection"},
      {"model.channel_mlp", "", "0",
       "hidden channels of an MLP with a soft gate after each layer, as neuraloperator has it; 0: none"},
      {"model.padding", "", "none", "points behind the field's end, for fields that are not periodic"},
      {"model.branch", "", "[40, 40]", "hidden channels of a DeepONet's branch, layer by layer; `[]`: none"},
      {"model.trunk", "", "[40, 40]", "of its trunk"},
      {"model.basis", "", "40", "its functions for each output"},
      {"model.activation", R"(`"identity"`, `"gelu"`, `"tanh"`)", R"(`"tanh"`)", "of its hidden layers"},
      {"data.points", "text", "the outputs' grid",
       "of a DeepONet, the array of the points where the outputs lie"},
      {"model.coordinates", "", "true, of MgNO false", "the points' coordinates join the inputs"},
      {"model.smoothing", "", "[1, 1, 1, 1, 1, 2]",
       "steps of MgNO's cycles before the coarser grid, from the finest level on, or pairs of those before "
       "and "
       "after it"},
      {"model.cycle", "", R"(`"v"`)", "`\"w\"`: each grid goes to its coarser one twice"},
      {"model.boundary", "", R"(`"zero"`)", "how fields go on beyond their ends"},
      {"model.smoother_bias", "true or false", "false", "of the smoothing convolutions"},
      {"model.norm", "", "false", "normalises over points and channels on every level on the way back"},
      {"model.skip", "", "true", "a mix of channels beside each cycle"},
      {"model.residual", "", "false", "the input is added to the output"},
      {"model.end_point", "", "true", "they end at 1; false: at 1 − 1/n, as on periodic grids"},

      {"data.file", "text", "",
       "HDF5, MATLAB, NumPy or safetensors ([data files](data.md)); `--data` names another"},
      {"data.inputs", "", "",
       "arrays [samples, axes…]; of arrays [samples, times, axes…] `\"u[0:10]\"` takes ten times as "
       "channels, "
       "`\"u[3]\"` one"},
      {"data.outputs", "", "", "as `inputs`"},
      {"data.train", "", "", "samples: the first ones of the file"},
      {"data.test", "", "", "samples: the last ones of the file"},
      {"data.stride", "", "1", "every so many points of each axis"},
      {"data.validation", "", "0",
       "samples behind those of the training. Their error is measured after each epoch, and the model is "
       "that "
       "of the smallest"},
      {"data.rollout", "", "false",
       "the model makes one time of `outputs` after another, each from those before it: see "
       "[below](#roll-outs)"},
      {"data.periodic", "", "false", "the fields: in the differences of H1 norms"},
      {"data.memory", "", "half of the machine's",
       "GiB; where all samples take more they are read from the file batch by batch"},
      {"data.normalise", "", "true",
       "channels of inputs and outputs to mean 0 and deviation 1 over the training samples"},

      {"physics.coordinates", "", "none",
       "of the outputs' axes, in order: first and last point, `{ t = [0, 1], x = [0, 1] }`. `[physics]` "
       "needs them: see [below](#equations)"},
      {"physics.periodic", "", "none", "axes whose last point lies one step before the end"},
      {"physics.constants", "", "none", "for the equations: `{ nu = \"0.01/pi\" }`"},
      {"physics.equations", "", "none",
       "that the outputs satisfy: `{ burgers = \"u_t + u*u_x = nu*u_xx\" }`"},
      {"physics.weight", "", "1", "of the residuals in the loss"},
      {"physics.data", "", "1", "of the data; 0: they are measured and not learned"},
      {"physics.initial", "", "0", "of outputs that are the input where the first axis begins"},
      {"physics.order", "", "4", "of the finite differences along axes that are not periodic"},
      {"physics.samples", "", "0",
       "further ones, behind those of training and validation, whose inputs alone are used"},

      {"training.batch", "", "20", "samples of a step"},
      {"training.epochs", "", "100", "passes through the samples"},
      {"training.seconds", "", "0", "ends earlier; 0: no limit"},
      {"training.learning_rate", "", "1e-3", "of Adam (with `weight_decay` AdamW)"},
      {"training.schedule", "", R"(`"cosine"`)",
       "of the rate, over all epochs: half a cosine to 0, or times `decay_factor` every `decay_every` "
       "epochs, or "
       "one cycle"},
      {"training.decay_every", "", "100", "epochs, of `step`"},
      {"training.decay_factor", "", "0.5", "of `step`"},
      {"training.pct_start", "", "0.2", "of `one_cycle`: the share in which the rate goes up"},
      {"training.div", "", "2", "of `one_cycle`: it begins at `learning_rate`/div"},
      {"training.final_div", "", "100", "of `one_cycle`: it ends at `learning_rate`/(div · final_div)"},
      {"training.loss", "", R"(`"l2"`)",
       "what falls: the relative error of each sample, in which norm: see [below](#losses)"},
      {"training.unroll", "", "all times of `outputs`",
       "steps of a roll-out in training; 1: from pairs of times"},
      {"training.noise", "", "0", "normal numbers on the inputs in training, in deviations of the channels"},
      {"training.early_stop", "", "never",
       "ends after so many epochs without a smaller error of the validation"},
      {"training.weight_decay", "", "0", "decoupled"},
      {"training.precision", "", R"(`"float32"`)", "of the training"},
      {"training.seed", "", "0", "of initial weights, of the order of samples and of the noise"},
  };
  for (const ModelKeyText& line : lines)
    if (line.path == path) return line;
  throw Error(fmt::format("src/operators/model_keys.cpp has no line for {}", path));
}

}  // namespace sobolev::detail
