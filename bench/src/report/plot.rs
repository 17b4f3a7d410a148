//! Plots over the number of connections, as SVG.

use plotters::prelude::*;

use crate::Outcome;
use crate::results::{Measure, Place, Results};
use crate::stats::real;
use crate::subject;
use crate::workload::Workload;

const SIZE: (u32, u32) = (900, 420);

/// What is plotted of the keep-alive echo, if there is more than one point of it.
pub(super) fn all(results: &Results) -> Outcome<Vec<String>> {
    let mut plots = Vec::new();
    for (measure, title) in [
        (Measure::CpuMicros, "keep-alive echo: server CPU, µs per request, over connections"),
        (Measure::PerSecond, "keep-alive echo: requests per second, over connections"),
        (Measure::P99Micros, "keep-alive echo: 99th percentile, µs, over connections"),
    ] {
        let lines = lines(results, measure);
        if lines.iter().any(|(_, points)| points.len() > 1) {
            plots.push(draw(title, &lines).map_err(|error| error.to_string())?);
        }
    }
    Ok(plots)
}

type Line = (&'static str, Vec<(f64, f64)>);

/// A line for each subject: CPython's costs would press all others together.
fn lines(results: &Results, measure: Measure) -> Vec<Line> {
    let subjects =
        subject::ALL.iter().filter(|subject| subject.program != subject::Program::Python);
    let of = |subject: &'static subject::Subject| {
        let points = results.workloads().into_iter().filter_map(|workload| {
            let Workload::Echo { connections } = workload else { return None };
            let spread = results.spread(measure, Place { workload, subject: subject.name })?;
            Some((real(connections as u64), spread.median))
        });
        (subject.name, points.collect())
    };
    subjects.map(of).filter(|(_, points): &Line| !points.is_empty()).collect()
}

fn draw(title: &str, lines: &[Line]) -> Result<String, Box<dyn std::error::Error>> {
    let all = || lines.iter().flat_map(|(_, points)| points);
    let most = |of: fn(&(f64, f64)) -> f64| all().map(of).fold(1.0, f64::max);
    let least = all().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    let (right, top) = (most(|point| point.0), most(|point| point.1));
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(title, ("sans-serif", 16))
            .margin(8)
            .x_label_area_size(28)
            .y_label_area_size(70)
            .build_cartesian_2d(
                (1.0..right * 1.1).log_scale(),
                (least * 0.9..top * 1.1).log_scale(),
            )?;
        chart.configure_mesh().light_line_style(WHITE).draw()?;
        for (at, (name, points)) in lines.iter().enumerate() {
            let color = Palette99::pick(at).stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), color))?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
        }
        chart.configure_series_labels().position(SeriesLabelPosition::UpperRight).draw()?;
        root.present()?;
    }
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::made_up::add;

    #[test]
    fn two_points_make_a_plot() {
        let mut results = Results::default();
        add(&mut results, "echo-1", "epoll", Measure::CpuMicros, &[5.0]);
        assert!(all(&results).unwrap().is_empty());
        add(&mut results, "echo-64", "epoll", Measure::CpuMicros, &[4.0]);
        let plots = all(&results).unwrap();
        assert_eq!(plots.len(), 1);
        assert!(plots[0].starts_with("<svg") && plots[0].contains("epoll"));
    }
}
