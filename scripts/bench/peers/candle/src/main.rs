//! candle as a competitor: the twin of nopeek's training step, on candle's CPU device. Speaks ../protocol.js.
//!
//! Build it in this folder, `cargo build --release`: then the settings in .cargo/config.toml apply.

mod gpt;
mod protocol;

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};
use candle_nn::loss::cross_entropy;
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use gpt::{Gpt, Size};
use protocol::{Answer, Competitor, Request, serve, time_each};
use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;

/// A TrainingTask of ../twin.js.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    kind: String,
    model: Size,
    optimizer: Settings,
    weights_path: String,
    batches: Vec<Batch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    learning_rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    weight_decay: f64,
    grad_clip: f64,
}

#[derive(Deserialize)]
struct Batch {
    inputs: Vec<u32>,
    targets: Vec<u32>,
}

struct Training {
    gpt: Gpt,
    batches: Vec<[Tensor; 2]>,
    /// For matrices, which decay, and for scales.
    optimizers: [AdamW; 2],
    grad_clip: f64,
    done: usize,
}

fn main() {
    serve(version(), create);
}

/// The version of candle in the lock file.
fn version() -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let entry = lock.split("name = \"candle-core\"").nth(1);
    entry
        .and_then(|entry| entry.split('"').nth(1))
        .unwrap_or("unknown")
}

fn create(message: Value) -> std::result::Result<Training, Box<dyn Error>> {
    let task: Task = serde_json::from_value(message)?;
    if task.kind != "training" {
        return Err(format!("unknown task \"{}\"", task.kind).into());
    }
    let stored = candle_core::safetensors::load(&task.weights_path, &Device::Cpu)?;
    let gpt = Gpt::new(task.model, &stored)?;
    let (decayed, others): (Vec<Var>, Vec<Var>) = gpt
        .variables
        .iter()
        .cloned()
        .partition(|var| var.rank() >= 2);
    let settings = &task.optimizer;
    let optimizer = |variables, weight_decay| {
        let &Settings {
            learning_rate: lr,
            beta1,
            beta2,
            epsilon: eps,
            ..
        } = settings;
        AdamW::new(
            variables,
            ParamsAdamW {
                lr,
                beta1,
                beta2,
                eps,
                weight_decay,
            },
        )
    };
    let optimizers = [
        optimizer(decayed, settings.weight_decay)?,
        optimizer(others, 0.0)?,
    ];
    let ids = |list: &Vec<u32>| Tensor::new(list.as_slice(), &Device::Cpu);
    let batches = task
        .batches
        .iter()
        .map(|batch| Ok([ids(&batch.inputs)?, ids(&batch.targets)?]));
    Ok(Training {
        batches: batches.collect::<Result<_>>()?,
        gpt,
        optimizers,
        grad_clip: settings.grad_clip,
        done: 0,
    })
}

impl Competitor for Training {
    fn answer(&mut self, action: &str, request: Value) -> Answer {
        if action != "steps" {
            return Err(format!("unknown action \"{action}\"").into());
        }
        let request: Request = serde_json::from_value(request)?;
        let (mut losses, mut norms) = (Vec::new(), Vec::new());
        let times = time_each(&request, || {
            let (loss, norm) = self.step()?;
            losses.push(loss);
            norms.push(norm);
            Result::Ok(())
        })?;
        Ok(json!({ "times": times, "losses": losses, "norms": norms }))
    }
}

impl Training {
    fn step(&mut self) -> Result<(f32, f64)> {
        let [ids, targets] = &self.batches[self.done % self.batches.len()];
        let loss = cross_entropy(&self.gpt.forward(ids)?, targets)?;
        let mut gradients = loss.backward()?;
        let norm = clip(&mut gradients, &self.gpt.variables, self.grad_clip)?;
        for optimizer in &mut self.optimizers {
            optimizer.step(&gradients)?;
        }
        self.done += 1;
        Ok((loss.to_scalar()?, norm))
    }
}

/// Scales all gradients to a norm of at most `most`, which candle leaves to its users. Returns the norm before.
fn clip(gradients: &mut GradStore, variables: &[Var], most: f64) -> Result<f64> {
    let mut squares = 0.0;
    for variable in variables {
        if let Some(gradient) = gradients.get(variable) {
            squares += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
    }
    let norm = squares.sqrt();
    if norm > most {
        for variable in variables {
            if let Some(gradient) = gradients.remove(variable) {
                gradients.insert(variable, (gradient * (most / norm))?);
            }
        }
    }
    Ok(norm)
}
