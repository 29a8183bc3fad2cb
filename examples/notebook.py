"""In a notebook: from a folder of FCS files to cells per µL and residual leukaemia, on a simulated cohort.

Every cell of the notebook is one paragraph here. The files are simulated: nothing below is a patient.
"""

import cytorecon as cr

# A simulated cohort stands in for what a centre has: FCS files and a sample sheet.
cr.simulate_cohort("cohort", patients=3, seed=1, events=10_000, marrow_events=200_000)

template = cr.load_template("tbnk")
samples = cr.read_sheet("cohort/tbnk.csv")
study = cr.open_study("study.recon")
cr.run(samples, template, study)  # a file that fails is a record, not an exception
cube = cr.read_cube(study, "tbnk")  # a plain Dataset from here on

nk = cr.cells_per_ul(cube).sel(population="NK cells")
print(nk.sel(specimen="blood").to_pandas().round(1).to_string())  # SIM-003 has CD16 and CD56 in one colour

cr.run(cr.read_sheet("cohort/mrd_aml.csv"), cr.load_template("mrd_aml"), study)
mrd = cr.assess_mrd(cr.read_cube(study, "mrd_aml"), "aml")  # numerator and denominator by their roles
columns = ["event_count", "total_count", "fraction", "low", "high", "call"]
print(mrd.sel(specimen="marrow").to_dataframe()[columns].to_string())
