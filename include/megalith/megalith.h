// SPDX-License-Identifier: Apache-2.0
// Everything that a program needs to make, train, save, load and run a byte model.
#pragma once

#include "megalith/core/check.h"
#include "megalith/generate/generator.h"
#include "megalith/io/checkpoint.h"
#include "megalith/io/config_file.h"
#include "megalith/models/any_model.h"
#include "megalith/models/config_json.h"
#include "megalith/models/model_summary.h"
#include "megalith/models/scan.h"
#include "megalith/models/zoo.h"
#include "megalith/nn/transformer_config.h"
#include "megalith/score/record_scorer.h"
#include "megalith/score/scorer.h"
#include "megalith/train/corpus.h"
#include "megalith/train/evaluate.h"
#include "megalith/train/optimizer.h"
#include "megalith/train/recipes.h"
#include "megalith/train/run_config.h"
#include "megalith/train/trainer.h"
#include "megalith/train/training_memory.h"
