"""What scenes are made of outside of any simulator: ProcTHOR houses, and packs of real geometry."""
