//! The twin of nopeek's model: a decoder without biases or dropout, with exact GELU.

use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::{LayerNorm, Module, ops::softmax};
use serde::Deserialize;
use std::collections::HashMap;

/// Added to the variance, as in nopeek and PyTorch.
const NORM_EPSILON: f64 = 1e-5;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    layers: usize,
    heads: usize,
    d_model: usize,
    pub context_length: usize,
    tie_head: bool,
    norm_weights: bool,
}

struct Block {
    attention_norm: LayerNorm,
    /// (C, 3C): one product for queries, keys and values.
    query_key_value: Tensor,
    output: Tensor,
    mlp_norm: LayerNorm,
    up: Tensor,
    down: Tensor,
}

pub struct Gpt {
    size: Size,
    token: Tensor,
    position: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
    /// (C, V)
    head: Tensor,
    /// (T, T): −∞ above the diagonal.
    mask: Tensor,
    pub variables: Vec<Var>,
}

impl Gpt {
    /// `stored` are weights as (in, out), by nopeek's names.
    pub fn new(size: Size, stored: &HashMap<String, Tensor>) -> Result<Self> {
        let mut variables = Vec::new();
        let mut variable = |tensor: &Tensor| -> Result<Tensor> {
            let variable = Var::from_tensor(tensor)?;
            variables.push(variable.clone());
            Ok(variable.as_tensor().clone())
        };
        let find = |name: &str| {
            stored
                .get(name)
                .ok_or_else(|| candle_core::Error::Msg(format!("there are no weights {name}")))
        };
        let token = variable(find("tokenEmbedding")?)?;
        let position = variable(find("positionEmbedding")?)?;
        let ones = Tensor::ones(size.d_model, DType::F32, &Device::Cpu)?;
        let norm = |name: String, variable: &mut dyn FnMut(&Tensor) -> Result<Tensor>| {
            let scales = if size.norm_weights {
                variable(find(&format!("{name}.weight"))?)?
            } else {
                ones.clone()
            };
            Ok::<_, candle_core::Error>(LayerNorm::new_no_bias(scales, NORM_EPSILON))
        };
        let mut blocks = Vec::new();
        for layer in 0..size.layers {
            let part = |name: &str| find(&format!("blocks.{layer}.{name}.weight"));
            let joint = ["query", "key", "value"].map(|name| part(&format!("attention.{name}")));
            let [query, key, value] = joint;
            blocks.push(Block {
                attention_norm: norm(format!("blocks.{layer}.attentionNorm"), &mut variable)?,
                query_key_value: variable(&Tensor::cat(&[query?, key?, value?], 1)?)?,
                output: variable(part("attention.output")?)?,
                mlp_norm: norm(format!("blocks.{layer}.mlpNorm"), &mut variable)?,
                up: variable(part("mlp.up")?)?,
                down: variable(part("mlp.down")?)?,
            });
        }
        let norm = norm("finalNorm".to_owned(), &mut variable)?;
        let head = if size.tie_head {
            token.t()?
        } else {
            variable(find("head.weight")?)?
        };
        let mask = mask_of(size.context_length)?;
        Ok(Self {
            size,
            token,
            position,
            blocks,
            norm,
            head,
            mask,
            variables,
        })
    }

    /// The logits (B·T, V) of B windows of ids (B·T).
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        let shape = ((), self.size.context_length, self.size.d_model);
        let token = self.token.index_select(ids, 0)?.reshape(shape)?;
        let mut x = token
            .broadcast_add(&self.position)?
            .reshape(((), self.size.d_model))?;
        for block in &self.blocks {
            x = (&x + self.attention(block, &block.attention_norm.forward(&x)?)?)?;
            let hidden = block.mlp_norm.forward(&x)?.matmul(&block.up)?.gelu_erf()?;
            x = (&x + hidden.matmul(&block.down)?)?;
        }
        self.norm.forward(&x)?.matmul(&self.head)
    }

    /// x (B·T, C)
    fn attention(&self, block: &Block, x: &Tensor) -> Result<Tensor> {
        let &Size {
            heads,
            d_model,
            context_length,
            ..
        } = &self.size;
        let width = d_model / heads;
        let joint =
            x.matmul(&block.query_key_value)?
                .reshape(((), context_length, 3, heads, width))?;
        let part = |index| {
            joint
                .narrow(2, index, 1)?
                .squeeze(2)?
                .transpose(1, 2)?
                .contiguous()
        };
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);
        let scores = (q.matmul(&k.t()?)? * (1.0 / (width as f64).sqrt()))?;
        let shares = softmax(&scores.broadcast_add(&self.mask)?, D::Minus1)?;
        shares
            .matmul(&v)?
            .transpose(1, 2)?
            .reshape(((), d_model))?
            .matmul(&block.output)
    }
}

fn mask_of(positions: usize) -> Result<Tensor> {
    let hidden = |i: usize| i % positions > i / positions;
    let values =
        (0..positions * positions).map(|i| if hidden(i) { f32::NEG_INFINITY } else { 0.0 });
    Tensor::from_iter(values, &Device::Cpu)?.reshape((positions, positions))
}
